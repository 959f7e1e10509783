"""A step's whole output: a value, or a stream of bytes that is never held whole.

Follows "Get full step output from instance" of
<https://developers.cloudflare.com/api/resources/workflows/subresources/instances/>.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from dashboard.cloudflare import parsing, trouble, values
from dashboard.cloudflare.errors import NotFound
from dashboard.cloudflare.responses import Request, Result
from dashboard.cloudflare.types import (
    ErrorDetail,
    InstanceDetail,
    Json,
    Status,
    Step,
    StepType,
)

CHUNK_SIZE = 64 * 1024


@dataclass(frozen=True)
class StepOutput:
    """What a step returned. With `is_binary` only `iter_bytes()`, `content_type` and `size` count.

    `status`: RUNNING with an `error` means that the step retries after a failed attempt. `output`
    is the value as Cloudflare sends it here: not JSON text, as in the log. `size` is in bytes,
    None when the server does not say.
    """

    status: Status = Status.UNKNOWN
    error: ErrorDetail | None = None
    output: Any = None
    event_type: str = ""
    is_truncated: bool = False
    is_binary: bool = False
    content_type: str = "application/json"
    size: int | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)
    _chunks: Iterator[bytes] = field(default=iter(()), repr=False, compare=False)

    def iter_bytes(self) -> Iterator[bytes]:
        """The bytes of a binary output, once, while the context is open.

        Raises `Unreachable` when the stream breaks off.
        """
        return self._chunks


def from_result(result: Result) -> StepOutput:
    """The output in a JSON answer."""
    row = values.mapping(result.value)
    return StepOutput(
        status=parsing.status(row.get("status")),
        error=values.error_detail(row.get("error")),
        output=row.get("output"),
        event_type=values.text(row.get("event_type")),
        is_truncated=values.is_truncated(row.get("output")),
        raw=row,
    )


@contextmanager
def from_stream(response: httpx.Response, request: Request) -> Iterator[StepOutput]:
    """The output in an open binary answer, which is closed at the end."""
    with closing(response):
        is_encoded = "content-encoding" in response.headers
        yield StepOutput(
            status=Status.COMPLETE,
            is_binary=True,
            content_type=response.headers.get("content-type", ""),
            size=None if is_encoded else values.integer(response.headers.get("content-length")),
            _chunks=_chunks(response, request),
        )


def _chunks(response: httpx.Response, request: Request) -> Iterator[bytes]:
    with trouble.told(request):
        yield from response.iter_bytes(CHUNK_SIZE)


def from_detail(
    detail: InstanceDetail,
    *,
    name: str,
    type: StepType,
    attempt: int | None,
) -> StepOutput:
    """The output in an instance's log, for a target without a route of its own.

    Raises `NotFound` (what: "step") when the log has no such step or attempt.
    """
    steps = [step for step in detail.steps if step.name == name and step.type is type]
    if not steps:
        raise _no_such("step")
    step = steps[-1]
    if attempt is None or attempt == len(step.attempts):
        return _from_step(step, step.error or (step.attempts[-1].error if step.attempts else None))
    if attempt > len(step.attempts):
        raise _no_such("attempt")
    return StepOutput(status=Status.ERRORED, error=step.attempts[attempt - 1].error)


def _from_step(step: Step, error: ErrorDetail | None) -> StepOutput:
    pending = Status.WAITING if step.type is StepType.WAIT_FOR_EVENT else Status.RUNNING
    return StepOutput(
        status={True: Status.COMPLETE, False: Status.ERRORED, None: pending}[step.success],
        error=error,
        output=step.output,
        event_type=step.event_type,
        is_truncated=step.is_output_truncated,
        raw=step.raw,
    )


def _no_such(what: str) -> NotFound:
    error = NotFound(f"The instance has no such {what} any more. It may have been restarted.")
    error.what = "step"
    return error
