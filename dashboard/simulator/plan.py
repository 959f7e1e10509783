"""What a workflow's code would do, as data: stages of steps, how long each takes, how it ends.

The names of the fields follow `config` in the step log of "Get logs and status from instance".
Durations are in ms, save for settings that the log shows as written ("30 seconds").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .clock import duration_ms


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as every answer of the API spells it."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when a failed attempt is repeated; defaults as on the official pages."""

    limit: int = 5
    delay: str | int = "10 seconds"
    backoff: str | None = "exponential"

    def wait_after(self, attempts: int) -> int:
        """Milliseconds between the `attempts`-th attempt, which failed, and the next one."""
        if self.delay == "[dynamic]":
            return 7_000 + 4_000 * attempts
        base = duration_ms(self.delay)
        if self.backoff == "exponential":
            return int(base * 2 ** (attempts - 1))
        return base * attempts if self.backoff == "linear" else base


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes that a step returned as a ReadableStream; only their number is kept."""

    size: int

    def chunks(self) -> Iterator[bytes]:
        """The bytes in parts of about 100 kB, always the same for the same size."""
        part = b"%PDF-1.7 simulated stream\n" * 4_096
        for first in range(0, self.size, len(part)):
            yield part[: self.size - first]


@dataclass(frozen=True, slots=True)
class Do:
    """`step.do`: `failures` are errors of attempts before the last, or of all if it `fails`."""

    name: str
    ms: int
    output: Any = None
    failures: tuple[Failure, ...] = ()
    fails: bool = False
    caught: bool = False
    retries: Retries = Retries()
    timeout: str | int = "10 minutes"
    sensitive: bool = False
    undo_ms: int | None = None
    undo_fails: bool = False


@dataclass(frozen=True, slots=True)
class Sleep:
    """`step.sleep`."""

    name: str
    ms: int


@dataclass(frozen=True, slots=True)
class Wait:
    """`step.waitForEvent`; `answered_after` is when somebody sends the event, if ever.

    The pages say that an instance is `waiting` then; production was also seen to say `running`.
    """

    name: str
    event_type: str
    timeout: str | int = "24 hours"
    answered_after: int | None = None
    payload: Any = None
    caught: bool = False
    shown_as: str = "waiting"


Step = Do | Sleep | Wait


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person did to the instance, `at` milliseconds after its start."""

    at: int
    action: str
    rollback: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One course of one workflow. Members of a stage run in parallel, stages in turn."""

    stages: tuple[tuple[Step, ...], ...]
    output: Any = None
    acts: tuple[Act, ...] = ()


def in_turn(*steps: Step | tuple[Step, ...]) -> tuple[tuple[Step, ...], ...]:
    """Stages from steps (one at a time) and tuples of steps (at the same time)."""
    return tuple(step if isinstance(step, tuple) else (step,) for step in steps)
