"""Many steps of one name become one row, so that a loop of a thousand does not hide the rest.

A step that failed or is still open keeps a row of its own beneath: it is what a reader looks for.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from dashboard.cloudflare.types import InstanceDetail, Step, StepType
from dashboard.insight import words
from dashboard.insight.states import StepState, state_of

#: Instances with fewer steps are drawn whole.
FOLDS_FROM = 40
LEAST_MEMBERS = 6
_ROWS_OF_THEIR_OWN = 20


@dataclass(frozen=True, slots=True)
class Fold:
    """The steps that share a row, oldest first; `total` counts those with rows of their own too."""

    steps: tuple[Step, ...]
    total: int = 1
    failed: int = 0

    @property
    def is_group(self) -> bool:
        return self.total > 1

    @property
    def name(self) -> str:
        first = self.steps[0]
        if not self.is_group:
            return first.name or words.type_word(first.type).lower()
        return f"{first.base_name} ×{self.total:,}"

    @property
    def note(self) -> str:
        return f"{self.failed:,} failed" if self.failed else ""

    def label_of(self, step: Step) -> str:
        return step.name or words.type_word(step.type).lower()


def folded(detail: InstanceDetail) -> list[Fold]:
    """The rows in the order in which their first step began."""
    if len(detail.steps) < FOLDS_FROM:
        return [Fold((step,)) for step in detail.steps]
    groups: dict[tuple[StepType, str], list[Step]] = defaultdict(list)
    for step in detail.steps:
        groups[step.type, step.base_name].append(step)
    rows: list[Fold] = []
    for members in groups.values():
        rows += _rows(members, detail)
    return sorted(rows, key=lambda fold: (fold.steps[0].index, not fold.is_group))


def _rows(members: list[Step], detail: InstanceDetail) -> list[Fold]:
    if len(members) < LEAST_MEMBERS or not members[0].name:
        return [Fold((step,)) for step in members]
    states = {step.index: state_of(step, detail) for step in members}
    failed = [s for s in members if states[s.index] in {StepState.FAILED, StepState.TIMED_OUT}]
    alone = [s for s in members if states[s.index].is_open or states[s.index].is_problem]
    alone = alone[:_ROWS_OF_THEIR_OWN]
    apart = {step.index for step in alone}
    together = tuple(step for step in members if step.index not in apart)
    rows = [Fold((step,)) for step in alone]
    if together:
        rows.append(Fold(together, total=len(members), failed=len(failed)))
    return rows
