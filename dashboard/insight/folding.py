"""Many steps of one name become one row, so that a loop of a thousand does not hide the rest.

A step that failed or is still open keeps a row of its own beneath: it is what a reader looks for.
The others are shown there too once the row is unfolded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import words
from dashboard.insight.states import state_of
from dashboard.insight.view import View

#: Fewer steps are drawn one by one.
FOLDS_FROM = 40
LEAST_MEMBERS = 6
#: Of those that failed or are open; the others are found by unfolding.
ROWS_OF_THEIR_OWN = 20


@dataclass(frozen=True, slots=True)
class Fold:
    """The steps that a row draws, oldest first. A group's `key` is the place of its first step,
    which lasts while the instance runs on; `shown` and `hidden`: how many of its members have rows
    of their own because a reader unfolded it, and how many more could. `is_member`: it stands
    beneath the row of its group.
    """

    steps: tuple[Step, ...]
    failed: int = 0
    shown: int = 0
    hidden: int = 0
    is_group: bool = False
    is_member: bool = False

    @property
    def key(self) -> int:
        return self.steps[0].index

    @property
    def name(self) -> str:
        first = self.steps[0]
        if not self.is_group:
            return label_of(first)
        return f"{words.cut(first.base_name, words.NAME_LIMIT)} ×{len(self.steps):,}"

    @property
    def note(self) -> str:
        return _("%(number)s failed") % {"number": f"{self.failed:,}"} if self.failed else ""


def label_of(step: Step) -> str:
    return words.cut(step.name, words.NAME_LIMIT) or words.type_word(step.type).lower()


def folded(steps: Sequence[Step], detail: InstanceDetail, view: View) -> list[Fold]:
    """The rows of these steps, each group where its first step stands."""
    if len(steps) < FOLDS_FROM:
        return [Fold((step,)) for step in steps]
    groups: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.type.value, step.base_name].append(step)
    rows: list[list[Fold]] = []
    for members in groups.values():
        if len(members) < LEAST_MEMBERS or not members[0].name:
            rows += ([Fold((step,))] for step in members)
        else:
            rows.append(_group(members, detail, view))
    rows.sort(key=lambda block: block[0].key)
    return [row for block in rows for row in block]


def _group(members: list[Step], detail: InstanceDetail, view: View) -> list[Fold]:
    """The group's own row, those that failed, those that are open, those a reader asked for."""
    failed: list[Step] = []
    opened: list[Step] = []
    others: list[Step] = []
    for step in members:
        state = state_of(step, detail)
        kind = failed if state.is_problem else opened if state.is_open else others
        kind.append(step)
    alone = [*failed, *opened][:ROWS_OF_THEIR_OWN]
    rest = [*[*failed, *opened][ROWS_OF_THEIR_OWN:], *others]
    shown = rest[: view.unfolded.get(members[0].index, 0)]
    whole = Fold(
        tuple(members),
        failed=sum(step.success is False for step in failed),
        shown=len(shown),
        hidden=len(rest) - len(shown),
        is_group=True,
    )
    return [whole, *(Fold((step,), is_member=True) for step in [*alone, *shown])]
