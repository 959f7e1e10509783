"""What a restart from a step keeps and what runs again, and where to restart to repeat the least.

Cloudflare keeps what began before the step and ended, whatever its outcome; the step itself, and
everything that began after it, is wiped and runs again. What had not ended has nothing to keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.cloudflare.types import InstanceDetail, RestartType, Status, Step, StepType
from dashboard.insight.states import failing_step

#: How the restart body names each type of step that can be restarted from.
TYPES = {
    StepType.STEP: RestartType.DO,
    StepType.SLEEP: RestartType.SLEEP,
    StepType.WAIT_FOR_EVENT: RestartType.WAIT_FOR_EVENT,
}


@dataclass(frozen=True, slots=True)
class Preflight:
    """`start`: the step to restart from, None for the beginning. `kept`: steps whose outcome stays.
    `again`: steps of the log that run again. `is_undone`: some of what is kept was rolled back, so
    that the workflow goes on with outcomes that are no longer true.
    """

    start: Step | None
    kept: tuple[Step, ...]
    again: tuple[Step, ...]
    is_undone: bool = False


def preflight(detail: InstanceDetail, start: Step | None) -> Preflight:
    """What a restart from this step of the instance, None: from its beginning, would do."""
    steps = [step for step in detail.steps if step.type in TYPES or not step.type.is_known]
    kept = [step for step in steps if start is not None and _is_kept(step, start)]
    indexes = {step.index for step in kept}
    return Preflight(
        start,
        tuple(kept),
        tuple(step for step in steps if step.index not in indexes),
        is_undone=_was_undone(detail, {step.name for step in kept}),
    )


def restartable(detail: InstanceDetail) -> list[Step]:
    """The steps that a restart can name, in the order they began.

    Two sleeps of one name and different lengths are counted apart, and so share a name: of such
    steps only the first can be meant.
    """
    named: set[tuple[StepType, str]] = set()
    found = []
    for step in detail.steps:
        key = (step.type, step.name)
        if step.type in TYPES and step.base_name and key not in named:
            named.add(key)
            found.append(step)
    return found


def least_repeating(detail: InstanceDetail) -> Step | None:
    """The step to restart from so that the least is repeated; None where nothing is to be repeated,
    or nothing can be kept.

    That is the step that failed the instance, for its outcome would be kept from any later one; or
    else the last one that began.
    """
    if detail.status is Status.COMPLETE:
        return None
    culprit = failing_step(detail)
    last = culprit.index if culprit else len(detail.steps)
    found = [step for step in restartable(detail) if step.index <= last]
    return found[-1] if found and preflight(detail, found[-1]).kept else None


def _is_kept(step: Step, start: Step) -> bool:
    return step.success is not None and _began_before(step, start)


def _began_before(step: Step, other: Step) -> bool:
    """Of two that began at once, neither: it is better to expect one run too many."""
    if step.start and other.start:
        return step.start < other.start
    return step.index < other.index


def _was_undone(detail: InstanceDetail, kept: set[str]) -> bool:
    undone = {step.name for step in detail.steps if step.type is StepType.ROLLBACK}
    return not undone.isdisjoint(kept)
