"""Patterns: the few hundred courses that the instances of one workflow share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from random import Random

from .chance import salt_of
from .course import FOREVER, Course
from .facts import Facts
from .happenings import Happening, of_course
from .plan import Plan

Recipe = Callable[[Random, str, Facts], Plan]
VARIATIONS = 16


@dataclass(frozen=True, slots=True)
class Pattern:
    """When an instance changes status, in ms from its start; `statuses` run beside `since`."""

    since: tuple[int, ...]
    statuses: tuple[str, ...]

    def at(self, passed: int) -> int:
        """The number of the phase that holds `passed` milliseconds after the start."""
        return bisect_right(self.since, passed) - 1

    def ends_after(self, phase: int) -> int:
        """Where a phase ends; FOREVER for the last one."""
        return self.since[phase + 1] if phase + 1 < len(self.since) else FOREVER


@dataclass(frozen=True)
class Era:
    """From `since` (ms since 1970) on, new instances end in these ways, with these weights."""

    since: int
    mix: dict[str, int]

    def cycle(self) -> tuple[str, ...]:
        """The outcomes in an order that spreads each one evenly, rare ones included."""
        slots = [
            ((turn + 0.5) / weight, name)
            for name, weight in self.mix.items()
            for turn in range(weight)
        ]
        return tuple(name for _, name in sorted(slots))


class Patterns:
    """Which pattern an instance follows, and the pattern itself, laid out when first asked for."""

    def __init__(self, recipe: Recipe, eras: tuple[Era, ...], salt: int) -> None:
        self._recipe, self._salt = recipe, salt
        self._since = [era.since for era in eras]
        self._cycles = [era.cycle() for era in eras]
        self._known: list[list[Pattern | None]] = [
            [None] * (len(cycle) * VARIATIONS) for cycle in self._cycles
        ]

    def outcome(self, index: int, created: int) -> str:
        """How the instance ends, by the era it was created in."""
        cycle = self._cycles[max(0, bisect_right(self._since, created) - 1)]
        return cycle[index % len(cycle)]

    def variation(self, index: int) -> int:
        """Which of the timings of its outcome it takes."""
        return (index * 2_654_435_761 >> 8) % VARIATIONS

    def plan(self, outcome: str, variation: int, facts: Facts) -> Plan:
        """The plan of one instance; its timing is that of the pattern of the same two."""
        return _plan(self._recipe, self._salt, outcome, variation, facts)

    def happenings(self, index: int, created: int) -> tuple[Happening, ...]:
        """What happens to an instance from its start to its end; instants in ms from the start."""
        outcome, variation = self.outcome(index, created), self.variation(index)
        return _happenings(self._recipe, self._salt, outcome, variation)

    @cached_property
    def moments(self) -> dict[str, tuple[int, ...]]:
        """For each kind of event, when it may happen in any course: ms from the start, rising."""
        found: dict[str, set[int]] = {}
        for outcome in {name for cycle in self._cycles for name in cycle}:
            for variation in range(VARIATIONS):
                for one in _happenings(self._recipe, self._salt, outcome, variation):
                    found.setdefault(one.kind, set()).add(one.at)
        return {kind: tuple(sorted(moments)) for kind, moments in found.items()}

    def pattern(self, index: int, created: int) -> Pattern:
        """The phases of an instance; kept in a table, for it is asked a million times."""
        era = max(0, bisect_right(self._since, created) - 1)
        place = index % len(self._cycles[era]) * VARIATIONS + self.variation(index)
        known = self._known[era][place]
        if known is None:
            outcome, variation = self.outcome(index, created), self.variation(index)
            known = _lay_out(self._recipe, self._salt, outcome, variation)
            self._known[era][place] = known
        return known


def _plan(recipe: Recipe, salt: int, outcome: str, variation: int, facts: Facts) -> Plan:
    return recipe(Random(salt_of(salt, outcome, variation)), outcome, facts)


@cache
def _lay_out(recipe: Recipe, salt: int, outcome: str, variation: int) -> Pattern:
    plan = _plan(recipe, salt, outcome, variation, Facts(0))
    course, since = Course(plan, 0), 0
    phases: list[tuple[int, str]] = []
    for act in plan.acts:
        phases += course.phases(since, act.at) if act.at > since else []
        course.apply(act.action, act.at, rollback=act.rollback)
        since = act.at
    phases += course.phases(since)
    merged = [p for n, p in enumerate(phases) if n == 0 or phases[n - 1][1] != p[1]]
    return Pattern(tuple(p[0] for p in merged), tuple(p[1] for p in merged))


@cache
def _happenings(recipe: Recipe, salt: int, outcome: str, variation: int) -> tuple[Happening, ...]:
    """As `_lay_out`: what the course would have brought after an act gives way to what it did."""
    plan = _plan(recipe, salt, outcome, variation, Facts(0))
    course, since = Course(plan, 0), 0
    found: list[Happening] = []
    for act in plan.acts:
        found += [one for one in of_course(course) if since <= one.at < act.at]
        course.apply(act.action, act.at, rollback=act.rollback)
        since = act.at
    found += [one for one in of_course(course) if one.at >= since]
    return tuple(sorted(found, key=lambda one: one.at))
