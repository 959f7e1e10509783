"""What happens in a course, as the analytics name it: the rows of `workflowsAdaptive`.

The names are those of "Metrics and analytics" and, where that page stops, of the local engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .course import FOREVER, Course
from .entries import Entry

QUEUED = "WORKFLOW_QUEUED"
_FINAL = {
    "complete": "WORKFLOW_SUCCESS",
    "errored": "WORKFLOW_FAILURE",
    "terminated": "WORKFLOW_TERMINATED",
}
_OPENS = {"step": "STEP_START", "sleep": "SLEEP_START", "waitForEvent": "WAIT_START"}
_CLOSES = {
    "step": ("STEP_SUCCESS", "STEP_FAILURE"),
    "sleep": ("SLEEP_COMPLETE", "SLEEP_COMPLETE"),
    "waitForEvent": ("WAIT_COMPLETE", "WAIT_TIMED_OUT"),
    "rollback": ("ROLLBACK_SUCCESS", "ROLLBACK_FAILURE"),
}


class Happening(NamedTuple):
    """One event. `at` and `wall_time` in ms; `number` is the step's place within the instance."""

    at: int
    kind: str
    step: str = ""
    number: int = 0
    wall_time: int = 0


def of_course(course: Course) -> Iterator[Happening]:
    """Everything that has happened and, if nobody interferes, is going to; in no order."""
    yield Happening(course.start, "WORKFLOW_START")
    for number, entry in enumerate(course.seen(FOREVER - 1), start=1):
        yield from _of_entry(entry, number)
    if course.paused_at is None and course.end < FOREVER:
        yield Happening(
            course.end, _FINAL[course.final], wall_time=max(0, course.end - course.start)
        )


def _of_entry(entry: Entry, number: int) -> Iterator[Happening]:
    opens, closes = _OPENS.get(entry.kind), _CLOSES.get(entry.kind)
    if opens:
        yield Happening(entry.start, opens, entry.name, number)
    for attempt in entry.attempts if entry.kind == "step" else ():
        yield Happening(attempt.start, "ATTEMPT_START", entry.name, number)
        if attempt.end is not None:
            kind = "ATTEMPT_FAILURE" if attempt.error else "ATTEMPT_SUCCESS"
            took = attempt.end - attempt.start
            yield Happening(attempt.end, kind, entry.name, number, took)
    if closes and entry.end is not None:
        kind = closes[1] if entry.error else closes[0]
        yield Happening(entry.end, kind, entry.name, number, entry.end - entry.start)
