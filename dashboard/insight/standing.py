"""What the row of an instance keeps of its detail, so that a list can tell what it is doing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.cloudflare.types import InstanceDetail
from dashboard.insight import words
from dashboard.insight.phase import phase


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an unfinished instance stands, or where an errored one failed.

    `phase` is a PhaseKind, "" once it is finished: its status says that. `step`: the one that it
    is in or failed in, `attempts` those of that step so far. `due_on`: when its sleep, wait or
    pause before a retry is to end, as far as that is known.
    """

    phase: str = ""
    step: str = ""
    attempts: int | None = None
    due_on: datetime | None = None


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
    )
