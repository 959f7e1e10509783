"""What is kept of an instance: Cloudflare's answer, and whole the outputs that it had cut there."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from dashboard.cloudflare import parsing, types

#: How the log names an output that is a stream: it holds none of its bytes.
STREAM_MARK = "[ReadableStream"


@dataclass(frozen=True)
class KeptAnswer:
    """`outputs` and `missing` go by the step's index, as text. An output is `{"value": …}`, or
    `{"base64": …, "content_type": …}` for bytes; `missing` says why the whole is not here.
    """

    answer: types.Json
    outputs_are_text: bool
    outputs: dict[str, types.Json] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @cached_property
    def detail(self) -> types.InstanceDetail:
        """The answer in normal form, with whole outputs where they were kept."""
        told = parsing.instance_detail(self.answer, outputs_are_text=self.outputs_are_text)
        if not self.outputs:
            return told
        return replace(told, steps=tuple(self._step(step) for step in told.steps))

    def _step(self, step: types.Step) -> types.Step:
        whole = self.outputs.get(str(step.index), {})
        if "value" not in whole:
            return step
        return replace(step, output=whole["value"], is_output_truncated=False)

    def bytes_of(self, step: types.Step) -> bytes | None:
        """A binary output that was kept; None when there is none."""
        whole = self.outputs.get(str(step.index), {})
        return base64.b64decode(whole["base64"]) if "base64" in whole else None

    @property
    def document(self) -> types.Json:
        return {
            "answer": self.answer,
            "outputs_are_text": self.outputs_are_text,
            "outputs": self.outputs,
            "missing": self.missing,
        }

    @classmethod
    def of_document(cls, document: types.Json) -> Self:
        return cls(**document)


def cut_steps(detail: types.InstanceDetail) -> list[types.Step]:
    """The steps whose output the log holds only in part."""
    return [
        step
        for step in detail.steps
        if step.type in {types.StepType.STEP, types.StepType.WAIT_FOR_EVENT}
        and (
            step.is_output_truncated
            or (isinstance(step.output, str) and step.output.startswith(STREAM_MARK))
        )
    ]


def written(document: Any) -> bytes:
    """The one way to write a document, in the order that it has: its digest is taken of this."""
    return json.dumps(document, separators=(",", ":")).encode()


def digest(document: bytes) -> str:
    """SHA-256 of what was written, as `sha256sum` prints it."""
    return hashlib.sha256(document).hexdigest()


def pack(document: bytes) -> bytes:
    return zlib.compress(document)


def unpack(body: bytes | memoryview) -> bytes:
    return zlib.decompress(bytes(body))
