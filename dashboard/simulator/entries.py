"""The entries of a step log, with every instant they have or will have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .clock import duration_ms
from .plan import Do, Failure, Sleep, Step, Wait

STAGGER = 3  # milliseconds between the starts of two parallel steps


@dataclass(slots=True)
class Attempt:
    """One try of a step; `end` is None when it was cut short and will never be known."""

    start: int
    end: int | None
    error: Failure | None = None


@dataclass(slots=True)
class Event:
    """An event that was sent to an instance."""

    type: str
    payload: Any
    at: int


@dataclass(slots=True)
class Entry:
    """One line of the log. `kind` is the log's `type`; `due` is when a sleep or wait would end."""

    kind: str
    name: str
    start: int
    end: int | None
    spec: Step | None = None
    stage: int = -1
    member: int = 0
    attempts: list[Attempt] = field(default_factory=list)
    error: Failure | None = None
    output: Any = None
    due: int | None = None
    source: str | None = None

    def instants(self) -> Iterator[int]:
        """Every instant at which something about it changes."""
        yield self.start
        if self.end is not None:
            yield self.end
        for attempt in self.attempts:
            yield attempt.start
            if attempt.end is not None:
                yield attempt.end

    def is_executing(self, at: int) -> bool:
        """Whether code runs in it: an attempt is in flight."""
        return any(a.start <= at and (a.end is None or at < a.end) for a in self.attempts)

    def is_open(self, at: int) -> bool:
        """Whether it has begun and not ended."""
        return self.start <= at and (self.end is None or at < self.end)

    def seen(self, at: int, begun: int) -> Entry | None:
        """As the log shows it at `at`, when nothing new could begin after `begun` (a pause)."""
        if self.start > min(at, begun):
            return None
        if self.kind in {"sleep", "waitForEvent"}:
            return self._seen_parked(min(at, begun))
        tries = [
            a if a.end is not None and a.end <= at else Attempt(a.start, None)
            for a in self.attempts
            if a.start <= min(at, begun)
        ]
        is_last = len(tries) == len(self.attempts)
        if is_last and self.end is not None and self.end <= at:
            return replace(self, attempts=tries)
        return replace(self, attempts=tries, end=None, error=None, output=None)

    def _seen_parked(self, at: int) -> Entry:
        if self.end is not None and self.end <= at:
            return replace(self)
        return replace(self, end=None, error=None, output=None, due=self.due or self.end)

    def shift(self, since: int, by: int) -> None:
        """Move what had not begun at `since`; an attempt in flight keeps its end."""
        if self.kind in {"sleep", "waitForEvent"}:
            moves = self.end is not None and self.end > since
        else:
            moves = bool(self.attempts) and self.attempts[-1].start > since
        if moves and self.end is not None:
            self.end += by
        if self.due is not None and self.due > since:
            self.due += by
        if self.start > since:
            self.start += by
        for attempt in self.attempts:
            if attempt.start > since:
                attempt.start += by
                if attempt.end is not None:
                    attempt.end += by


def place(step: Step, at: int, name: str, events: list[Event]) -> Entry:
    """Lay one step from `at` on; a wait takes the first event of its type that is already there."""
    if isinstance(step, Do):
        return _place_do(step, at, name)
    if isinstance(step, Sleep):
        return Entry("sleep", name, at, at + step.ms, step, due=at + step.ms)
    return _place_wait(step, at, name, events)


def _place_do(step: Do, at: int, name: str) -> Entry:
    tries: list[Attempt] = []
    failing = step.failures
    now = at
    for number, failure in enumerate(failing, start=1):
        tries.append(Attempt(now, now + step.ms, failure))
        now += step.ms
        if number < len(failing) or not step.fails:
            now += step.retries.wait_after(number)
    if not step.fails:
        tries.append(Attempt(now, now + step.ms))
        now += step.ms
    error = failing[-1] if step.fails else None
    output = None if step.fails else step.output
    return Entry("step", name, at, now, step, attempts=tries, error=error, output=output)


def _place_wait(step: Wait, at: int, name: str, events: list[Event]) -> Entry:
    timeout = duration_ms(step.timeout)
    entry = Entry("waitForEvent", name, at, at + timeout, step, due=at + timeout)
    early = next((event for event in events if event.type == step.event_type), None)
    if early:
        events.remove(early)
        answer(entry, early, max(at + 2, early.at))
    elif step.answered_after is not None and step.answered_after < timeout:
        moment = at + step.answered_after
        answer(entry, Event(step.event_type, step.payload, moment), moment)
    else:
        entry.error = Failure("WorkflowTimeoutError", f"Execution timed out after {timeout}ms")
    return entry


def answer(entry: Entry, event: Event, at: int) -> None:
    """End a wait with the event it waited for."""
    entry.end = at
    entry.error = None
    entry.output = event
