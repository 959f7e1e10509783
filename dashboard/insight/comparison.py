"""Two instances, or two starts of one, step by step: what differs, and what only one has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import words
from dashboard.insight.durations import spoken
from dashboard.insight.json_changes import NOTHING, Changes, json_changes
from dashboard.insight.states import StepState, state_of
from dashboard.insight.step_rows import step_length

#: Steps that differ and are shown; a page cannot bear ten thousand.
SHOWN = 300
#: Characters of one fact.
LENGTH = 2_000

NONE = Changes()


@dataclass(frozen=True, slots=True)
class Told:
    """What Cloudflare told of an instance, and when."""

    detail: InstanceDetail
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said of both. `is_changed` is not only `left != right`: a duration varies."""

    word: str
    left: str
    right: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Side:
    """A step on one side, in words."""

    state: StepState
    length: str
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class StepPair:
    """The same step on both sides; None where there is none."""

    name: str
    type_word: str
    left: Side | None
    right: Side | None
    facts: tuple[Fact, ...] = ()
    output: Changes = NONE

    @property
    def is_same(self) -> bool:
        return (
            self.left is not None
            and self.right is not None
            and not self.output
            and not any(fact.is_changed for fact in self.facts)
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps that follow each other and are all the same, or all not."""

    is_same: bool
    pairs: tuple[StepPair, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`hidden`: how many pairs that differ are not shown."""

    facts: tuple[Fact, ...]
    params: Changes
    output: Changes
    stretches: tuple[Stretch, ...]
    changed: int
    same: int
    hidden: int

    @property
    def is_same(self) -> bool:
        """Whether nothing but durations differs."""
        return not (
            self.changed
            or self.params
            or self.output
            or any(fact.is_changed for fact in self.facts)
        )


def compare(left: Told, right: Told) -> Comparison:
    """The second beside the first, each as of its moment. Steps are the same by type, name, and
    how often both have come before."""
    one, other = left.detail, right.detail
    matched = _matched(one.steps, other.steps)
    pairs = [_pair(of_left, of_right, left, right) for of_left, of_right in matched]
    changed = sum(not pair.is_same for pair in pairs)
    return Comparison(
        facts=tuple(_facts(left, right)),
        params=json_changes(one.params, other.params),
        output=json_changes(one.output, other.output),
        stretches=_stretches(pairs),
        changed=changed,
        same=len(pairs) - changed,
        hidden=max(0, changed - SHOWN),
    )


def _stretches(pairs: list[StepPair]) -> tuple[Stretch, ...]:
    shown, room = [], SHOWN
    for is_same, group in groupby(pairs, lambda pair: pair.is_same):
        members = tuple(group)
        if not is_same:
            members, room = members[:room], max(0, room - len(members))
        if members:
            shown.append(Stretch(is_same, members))
    return tuple(shown)


def _matched(
    left: tuple[Step, ...], right: tuple[Step, ...]
) -> Iterator[tuple[Step | None, Step | None]]:
    """Pairs in the order of the left; what only the right has follows what stood before it."""
    waiting: dict[tuple[str, str], list[Step]] = defaultdict(list)
    for step in reversed(right):
        waiting[step.type, step.name].append(step)
    partners = [
        waiting[step.type, step.name].pop() if waiting[step.type, step.name] else None
        for step in left
    ]
    taken = {partner.index for partner in partners if partner}
    following: dict[int, list[Step]] = defaultdict(list)
    before = -1
    for step in right:
        if step.index in taken:
            before = step.index
        else:
            following[before].append(step)
    yield from ((None, step) for step in following[-1])
    for step, partner in zip(left, partners, strict=True):
        yield step, partner
        if partner:
            yield from ((None, other) for other in following[partner.index])


def _pair(of_left: Step | None, of_right: Step | None, left: Told, right: Told) -> StepPair:
    one, other = _side(of_left, left), _side(of_right, right)
    name, type_word = "", ""
    for step in (of_right, of_left):
        if step:
            type_word = words.type_word(step.type)
            name = words.cut(step.name, words.NAME_LIMIT) or type_word
    return StepPair(
        name=name,
        type_word=type_word,
        left=one,
        right=other,
        facts=_step_facts(one, other) if one and other else (),
        output=_outputs(of_left, of_right) if of_left and of_right else NONE,
    )


def _outputs(left: Step, right: Step) -> Changes:
    one, other = (step.output if step.has_output else NOTHING for step in (left, right))
    return json_changes(one, other)


def _side(step: Step | None, told: Told) -> Side | None:
    if step is None:
        return None
    last = step.attempts[-1].error if step.attempts else None
    return Side(
        state=state_of(step, told.detail),
        length=step_length(step, told.detail, told.as_of),
        attempts=len(step.attempts),
        error=words.error_text(step.error or last),
    )


def _step_facts(left: Side, right: Side) -> tuple[Fact, ...]:
    return (
        _fact(_("Outcome"), left.state.word, right.state.word),
        Fact(_("Duration"), left.length, right.length, is_changed=False),
        _fact(_("Attempts"), str(left.attempts), str(right.attempts)),
        _fact(_("Error"), left.error, right.error),
    )


def _facts(left: Told, right: Told) -> Iterator[Fact]:
    one, other = left.detail, right.detail
    yield _fact(_("Version"), one.version_id, other.version_id)
    yield _fact(_("Trigger"), str(one.trigger), str(other.trigger))
    yield Fact(_("Started"), _when(one), _when(other), is_changed=False)
    yield Fact(_("Duration"), _length(left), _length(right), is_changed=False)
    yield _fact(_("Steps"), f"{len(one.steps):,}", f"{len(other.steps):,}")
    yield _fact(_("Error"), words.error_text(one.error), words.error_text(other.error))


def _fact(word: str, left: str, right: str) -> Fact:
    """One that is cut to be shown, and compared whole."""
    return Fact(word, words.cut(left, LENGTH), words.cut(right, LENGTH), is_changed=left != right)


def _when(detail: InstanceDetail) -> str:
    return words.instant(detail.start) if detail.start else ""


def _length(told: Told) -> str:
    detail = told.detail
    if detail.start is None:
        return ""
    end = detail.end or (None if detail.status.is_finished else told.as_of)
    return spoken(end - detail.start) if end else ""
