"""What the row of an instance keeps of its detail, so that a list can tell what it is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import words
from dashboard.insight.durations import duration
from dashboard.insight.phase import Phase, PhaseKind, phase


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an unfinished instance stands, or where an errored one failed.

    `phase` is a PhaseKind, "" once it is finished: its status says that. `step`: the one that it
    is in or failed in, `attempts` those of that step so far. `due_on`: when its sleep, wait or
    pause before a retry is to end, as far as that is known. `at_work_on`: since when it is at work,
    or queued, where only what is usual tells how long that may last. `base_name`: the step's, as
    its author wrote it; `timeout`: of one attempt of it.
    """

    phase: str = ""
    step: str = ""
    attempts: int | None = None
    due_on: datetime | None = None
    at_work_on: datetime | None = None
    base_name: str = ""
    timeout: timedelta | None = None


#: Phases that nothing but what is usual bounds.
_AT_WORK = {PhaseKind.QUEUED, PhaseKind.RUNNING, PhaseKind.PAUSING, PhaseKind.ROLLING_BACK}


def standing(detail: InstanceDetail, now: datetime) -> Standing:
    """Where the instance of this detail stood at `now`."""
    current = phase(detail, now)
    step = None if current.step_index is None else detail.steps[current.step_index]
    is_finished = detail.status.is_finished
    return Standing(
        phase="" if is_finished else current.kind.value,
        step=words.name_of(step) if step else "",
        attempts=len(step.attempts) or None if step else None,
        due_on=None if is_finished else current.until,
        at_work_on=_at_work_on(current),
        base_name=step.base_name if step else "",
        timeout=_timeout(step),
    )


def _at_work_on(current: Phase) -> datetime | None:
    is_at_work = current.kind in _AT_WORK and current.until is None
    return current.since if is_at_work else None


def _timeout(step: Step | None) -> timedelta | None:
    return duration(step.config.timeout) if step and step.config else None
