"""Which instances are wanted, as plain values; `matching.py` finds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Protocol, Self

from django.db.models import Exists, OuterRef, Q

from dashboard.cloudflare.types import FINISHED
from dashboard.models.conditions import CONDITIONS
from dashboard.models.search_text import SearchText

#: Columns of Cloudflare's times, which a time range can be of.
TIMES = ("created_on", "started_on", "ended_on")
STATES = {
    "finished": Q(status__in=FINISHED),
    "unfinished": ~Q(status__in=FINISHED) & Q(expired_at=None),
    "gone": Q(expired_at__isnull=False),
    "restarted": Q(generation__gt=1),
    "read": Q(read_at__isnull=False),
}
#: Fewer letters than this are in no index.
SHORTEST = 3


class Clause(Protocol):
    """One thing that must hold of a row of `Instance`."""

    @property
    def condition(self) -> Q: ...


@dataclass(frozen=True)
class Equal:
    """The column holds just this."""

    column: str
    value: str

    @property
    def condition(self) -> Q:
        return Q((self.column, self.value))


@dataclass(frozen=True)
class StartsWith:
    """The column begins with this."""

    column: str
    value: str

    @property
    def condition(self) -> Q:
        return Q((f"{self.column}__startswith", self.value))


@dataclass(frozen=True)
class Within:
    """The column lies from one value on and before another; a row without a value does not."""

    column: str
    since: datetime | int | None
    until: datetime | int | None

    @property
    def condition(self) -> Q:
        told = Q()
        if self.since is not None:
            told &= Q((f"{self.column}__gte", self.since))
        if self.until is not None:
            told &= Q((f"{self.column}__lt", self.until))
        return told


@dataclass(frozen=True)
class Due:
    """Its sleep, wait or pause before a retry is to end from one moment on and before another,
    while Cloudflare still holds it."""

    since: datetime | None
    until: datetime | None

    @property
    def condition(self) -> Q:
        return Within("due_on", self.since, self.until).condition & Q(
            due_on__isnull=False, expired_at=None
        )


@dataclass(frozen=True)
class InState:
    """One of STATES."""

    name: str

    @property
    def condition(self) -> Q:
        return STATES[self.name]


@dataclass(frozen=True)
class Stands:
    """One of CONDITIONS, told at a moment."""

    name: str
    now: datetime

    @property
    def condition(self) -> Q:
        return CONDITIONS[self.name](self.now)


@dataclass(frozen=True)
class Contains:
    """The text stands somewhere in one of the places: the id, or columns of SearchText."""

    text: str
    places: tuple[str, ...]

    #: Where a word is looked for; one too short for an index in ids only, which is quick enough.
    ANYWHERE: ClassVar = ("instance_id", "error", "steps", "body")

    @property
    def condition(self) -> Q:
        if self.is_short and "instance_id" in self.places:
            return Q(instance_id__icontains=self.text)
        told = Q()
        columns = Q()
        for place in self.places:
            if place == "instance_id":
                told = Q(instance_id__icontains=self.text)
            else:
                columns |= Q((f"{place}__icontains", self.text))
        if columns:
            told |= Q(Exists(SearchText.objects.filter(columns, instance=OuterRef("pk"))))
        return told

    @property
    def is_short(self) -> bool:
        return len(self.text) < SHORTEST


@dataclass(frozen=True)
class AnyOf:
    """One of several holds."""

    clauses: tuple[Clause, ...]

    @property
    def condition(self) -> Q:
        told = Q()
        for clause in self.clauses:
            told |= clause.condition
        return told


@dataclass(frozen=True)
class Not:
    """What must not hold."""

    clause: Clause

    @property
    def condition(self) -> Q:
        return ~self.clause.condition


@dataclass(frozen=True)
class Choice:
    """Values that are wanted (None: any) and values that are not."""

    wanted: tuple[str, ...] | None = None
    unwanted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.wanted is not None or bool(self.unwanted)

    def also(self, values: tuple[str, ...], is_excluded: bool) -> Self:
        """With these values, wanted or not."""
        if is_excluded:
            return replace(self, unwanted=(*self.unwanted, *values))
        return replace(self, wanted=(*(self.wanted or ()), *values))


@dataclass(frozen=True)
class InstanceFilters:
    """All must hold; what is left empty does not narrow. A workflow is named by its name, or by its
    account's id or name, a slash, and its name; an account by its id or name; a group of failures
    by its key, which stands for what is merged into it, too. `within`: the keys of the workflows
    that whoever asks may see; None: all."""

    statuses: Choice = Choice()
    workflows: Choice = Choice()
    accounts: Choice = Choice()
    groups: Choice = Choice()
    clauses: tuple[Clause, ...] = ()
    within: frozenset[int] | None = None

    def __bool__(self) -> bool:
        return replace(self, within=None) != type(self)()

    @property
    def of_any_status(self) -> Self:
        return replace(self, statuses=Choice())

    @property
    def of_any_time(self) -> Self:
        return replace(self, clauses=tuple(c for c in self.clauses if not is_time(c)))

    @property
    def is_timed(self) -> bool:
        return self.of_any_time != self


def is_time(clause: Clause) -> bool:
    """True for a clause about one of TIMES."""
    if isinstance(clause, AnyOf):
        return all(map(is_time, clause.clauses))
    inner = clause.clause if isinstance(clause, Not) else clause
    return isinstance(inner, Within) and inner.column in TIMES
