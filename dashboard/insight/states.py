"""What a step is doing, derived from its entry in the log and the state of its instance."""

from __future__ import annotations

import enum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.types import InstanceDetail, Status, Step, StepType


class StepState(enum.Enum):
    """One state of a step: its mark in HTML, the word a person reads, and its icon."""

    #: Of the instance, before any step: the timeline shows it as a row of its own.
    QUEUED = ("queued", gettext_noop("Queued"), "queued")
    DONE = ("done", gettext_noop("Done"), "complete")
    FAILED = ("failed", gettext_noop("Failed"), "errored")
    TIMED_OUT = ("timed-out", gettext_noop("Timed out"), "errored")
    RUNNING = ("running", gettext_noop("Running"), "running")
    RETRYING = ("retrying", gettext_noop("Retrying"), "retrying")
    SLEEPING = ("sleeping", gettext_noop("Sleeping"), "sleeping")
    WAITING = ("waiting", gettext_noop("Waiting for event"), "event")
    ROLLING_BACK = ("rolling-back", gettext_noop("Rolling back"), "rollingBack")
    ROLLED_BACK = ("rolled-back", gettext_noop("Rolled back"), "rollingBack")
    STOPPED = ("stopped", gettext_noop("Cut off"), "terminated")
    TERMINATION = ("termination", gettext_noop("Terminated"), "terminated")
    UNKNOWN = ("unknown", gettext_noop("Unknown"), "unknown")

    def __init__(self, slug: str, word: str, icon: str) -> None:
        self.slug = slug
        self._word = word
        self.icon = icon
        #: It may still go on.
        self.is_open = slug in {"running", "retrying", "sleeping", "waiting", "rolling-back"}
        #: What a reader with an incident looks for first.
        self.is_problem = slug in {"failed", "timed-out", "retrying"}

    @property
    def word(self) -> str:
        return _(self._word)


def state_of(step: Step, detail: InstanceDetail) -> StepState:
    """The state of one step of this instance."""
    if step.type is StepType.TERMINATION:
        return StepState.TERMINATION
    if step.success is not None:
        return _settled(step)
    if detail.status.is_finished:
        # The engine leaves the entry as it was when the instance ended under it.
        return StepState.STOPPED
    return _open(step)


def _open(step: Step) -> StepState:
    if step.type is StepType.SLEEP:
        return StepState.SLEEPING
    if step.type is StepType.WAIT_FOR_EVENT:
        return StepState.WAITING
    if step.attempts and step.attempts[-1].success is False:
        return StepState.RETRYING
    if not step.type.is_known and not step.attempts:
        return StepState.UNKNOWN
    return StepState.ROLLING_BACK if step.type is StepType.ROLLBACK else StepState.RUNNING


def _settled(step: Step) -> StepState:
    if step.success:
        return StepState.ROLLED_BACK if step.type is StepType.ROLLBACK else StepState.DONE
    if step.type is StepType.WAIT_FOR_EVENT and step.error and "Timeout" in step.error.name:
        return StepState.TIMED_OUT
    return StepState.FAILED


def failing_step(detail: InstanceDetail) -> Step | None:
    """The step an errored instance failed in; None when the workflow threw between steps.

    Cloudflare does not say it. A failed step whose message the instance's error repeats is the one;
    else the last step, if it failed. An earlier failed step was caught by the workflow.
    """
    if detail.status is not Status.ERRORED:
        return None
    steps = [step for step in detail.steps if step.type not in _NO_CULPRITS]
    message = detail.error.message if detail.error else ""
    for step in reversed(steps):
        if step.success is False and message and _message(step) in message and _message(step):
            return step
    return steps[-1] if steps and steps[-1].success is False else None


_NO_CULPRITS = frozenset({StepType.ROLLBACK, StepType.TERMINATION})


def _message(step: Step) -> str:
    error = step.error or (step.attempts[-1].error if step.attempts else None)
    return error.message if error else ""
