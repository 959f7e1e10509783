"""The events that an instance waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.cloudflare.types import InstanceDetail, StepType
from dashboard.insight import words
from dashboard.insight.states import StepState, state_of


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that waits. `event_type` is "" where Cloudflare does not say it, `times_out_on` None
    where it does not say that."""

    step_name: str
    event_type: str
    since: datetime | None
    times_out_on: datetime | None


def waits(detail: InstanceDetail) -> tuple[Wait, ...]:
    """What it waits for, the longest waiting first."""
    return tuple(
        Wait(words.name_of(step), step.event_type, step.start, step.end)
        for step in detail.steps
        if step.type is StepType.WAIT_FOR_EVENT and state_of(step, detail) is StepState.WAITING
    )
