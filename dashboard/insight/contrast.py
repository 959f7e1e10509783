"""Pure: what failing instances have in common that others have not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.insight.payload import as_text

#: Fewer instances on a side tell nothing.
LEAST = 5
SHOWN = 12
#: What fewer of the failing have is not what they have in common.
IN_COMMON = 0.5
#: Places of one instance's params that are looked at, how deep, and the longest value compared.
PLACES = 400
DEPTH = 10
LONGEST = 120
#: Standard deviations: both shares are taken at the unfavourable end of their 95 % interval.
CERTAINTY = 1.96
IS_THERE = gettext_noop("is there")
IS_MISSING = gettext_noop("is missing")

#: What an instance has: where, such as `params.items[].sku`, and the value there as text.
Feature = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Trait:
    """A feature with how many of each side have it, and how far the shares lie apart for certain:
    between 0 and 1."""

    where: str
    value: str
    failing: int
    of_failing: int
    completed: int
    of_completed: int
    distance: float

    @property
    def failing_percent(self) -> float:
        return 100 * self.failing / self.of_failing

    @property
    def completed_percent(self) -> float:
        return 100 * self.completed / self.of_completed


def row_features(version_id: str, trigger: str, created_on: datetime) -> set[Feature]:
    """What the row of an instance tells."""
    hours = {"from": created_on.hour, "to": (created_on.hour + 1) % 24}
    return {
        (_("version"), version_id or _("not known")),
        (_("trigger"), trigger),
        (_("created at"), _("%(from)02d:00 to %(to)02d:00 UTC") % hours),
    }


def params_features(params: Any) -> set[Feature]:
    """What the params of an instance tell: each place, and each value that is short."""
    found: set[Feature] = set()
    for feature in _walk(params, "params", DEPTH):
        found.add(feature)
        if len(found) >= PLACES:
            break
    return found


def contrast(failing: Sequence[set[Feature]], completed: Sequence[set[Feature]]) -> list[Trait]:
    """Features, and places that are missing, that are surely more frequent among the failing, and
    that at least half of these have: the
    most telling first. None when either side has fewer than LEAST."""
    if min(len(failing), len(completed)) < LEAST:
        return []
    of_failing, of_completed = len(failing), len(completed)
    among, others = _counted(failing), _counted(completed)
    counts = {one: (among[one], others[one]) for one in among}
    for where, value in {*among, *others}:
        if value == IS_THERE:
            there = (where, value)
            counts[where, IS_MISSING] = (of_failing - among[there], of_completed - others[there])
    traits = [
        Trait(where, value, one, of_failing, other, of_completed, distance)
        for (where, value), (one, other) in counts.items()
        if one >= IN_COMMON * of_failing
        and (distance := _distance(one, of_failing, other, of_completed)) > 0
    ]
    return _without_doubles(sorted(traits, key=lambda trait: (-trait.distance, trait.where)))


def most_telling(*found: Iterable[Trait]) -> list[Trait]:
    """The first SHOWN of all, in the words of who reads them."""
    everything = [trait for traits in found for trait in traits]
    first = sorted(everything, key=lambda trait: -trait.distance)[:SHOWN]
    return [
        replace(trait, value=_(trait.value)) if trait.value in {IS_THERE, IS_MISSING} else trait
        for trait in first
    ]


def _walk(value: Any, where: str, depth: int) -> Iterator[Feature]:
    yield where, IS_THERE
    if isinstance(value, dict) and depth:
        for name, inner in value.items():
            yield from _walk(inner, f"{where}.{name}"[:LONGEST], depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _walk(inner, f"{where}[]"[:LONGEST], depth - 1)
    elif not isinstance(value, dict | list):
        text = as_text(value)
        if len(text) <= LONGEST:
            yield where, f"= {text}"


def _counted(instances: Iterable[set[Feature]]) -> Counter[Feature]:
    return Counter(feature for features in instances for feature in features)


def _distance(one: int, of_one: int, other: int, of_other: int) -> float:
    return _bound(one, of_one, -CERTAINTY) - _bound(other, of_other, CERTAINTY)


def _bound(number: int, of: int, deviations: float) -> float:
    """An end of Wilson's interval for a share, which holds for few instances, too."""
    share, square = number / of, deviations**2
    middle = share + square / (2 * of)
    spread = deviations * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    return (middle + spread) / (1 + square / of)


def _without_doubles(traits: list[Trait]) -> list[Trait]:
    """That a place is there is not worth a line beside the value that all have there, or beside
    a place inside it."""
    told: list[Trait] = []
    for trait in traits:
        counts = (trait.failing, trait.completed)
        is_implied = trait.value in {IS_THERE, IS_MISSING} and any(
            trait.value in {IS_THERE, other.value}
            and _is_same_place(trait, other)
            and counts == (other.failing, other.completed)
            for other in traits
            if other is not trait
        )
        if not is_implied:
            told.append(trait)
    return told


def _is_same_place(trait: Trait, other: Trait) -> bool:
    """For a value, the place itself or one inside it; for a missing place, one around it."""
    if trait.value == IS_THERE:
        return other.where.startswith(trait.where) and (
            other.where != trait.where or other.value != IS_THERE
        )
    return trait.where.startswith(f"{other.where}.") or trait.where.startswith(f"{other.where}[")
