"""What is kept of an instance: Cloudflare's answer, and whole the outputs that it had cut there."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from dashboard.cloudflare import parsing, types

#: How the log names an output that is a stream: it holds none of its bytes.
STREAM_MARK = "[ReadableStream"


@dataclass(frozen=True, slots=True)
class Part:
    """An output that the log does not hold, or not whole: a step's, or that of one of its attempts,
    counted from 1."""

    step: types.Step
    attempt: int | None = None

    @property
    def key(self) -> str:
        """`7` for the output of the step of index 7, `7.2` for that of its second attempt."""
        return f"{self.step.index}" + (f".{self.attempt}" if self.attempt else "")


@dataclass(frozen=True)
class KeptAnswer:
    """`outputs` and `missing` go by `Part.key`. An output is `{"value": …}`, or
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

    def bytes_of(self, part: Part) -> bytes | None:
        """A binary output that was kept; None when there is none."""
        whole = self.outputs.get(part.key, {})
        return base64.b64decode(whole["base64"]) if "base64" in whole else None

    def value_of(self, part: Part) -> Any:
        """What a step or an attempt gave, as far as it is kept; None for one that failed."""
        if part.attempt is None:
            return part.step.output
        return self.outputs.get(part.key, {}).get("value")

    def part(self, step: types.Step, attempt: int | None) -> Part:
        """The output of an attempt; of the last one that is its step's."""
        is_its = bool(step.success) and attempt == len(step.attempts)
        return Part(step, None if is_its else attempt)

    @property
    def parts_missing(self) -> list[tuple[Part, str]]:
        """What is not here whole, with the reason."""
        found = []
        for key, why in self.missing.items():
            index, _, attempt = key.partition(".")
            found.append((Part(self.detail.steps[int(index)], int(attempt or 0) or None), why))
        return found

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


def not_in_log(detail: types.InstanceDetail) -> list[Part]:
    """The outputs that the log does not hold whole, in its order."""
    return [
        part
        for step in detail.steps
        if step.type in {types.StepType.STEP, types.StepType.WAIT_FOR_EVENT}
        for part in _not_in_log(step)
    ]


def _not_in_log(step: types.Step) -> Iterator[Part]:
    # An attempt that failed has an error and no output, and the log holds its error.
    for number, attempt in enumerate(step.attempts[:-1], 1):
        if attempt.success:
            yield Part(step, number)
    is_stream = isinstance(step.output, str) and step.output.startswith(STREAM_MARK)
    if step.is_output_truncated or is_stream:
        yield Part(step)


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
