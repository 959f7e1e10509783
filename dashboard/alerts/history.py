"""What was known at any moment of a stretch of time: all that a rule is judged by.

Held in memory, so that one and the same evaluation judges now and every moment of the last month.
`stored.py` fills it from the database.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import accumulate

#: An account whose last sync is older is not judged: what happens in it is not known.
BLIND_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Place:
    """A workflow as an alert names it. `account`: the key of its account."""

    name: str
    account: int
    first_seen_at: datetime


@dataclass(frozen=True)
class Period:
    """What began and ended in a workflow from `begins_on`, for `length`."""

    begins_on: datetime
    created: int = 0
    completed: int = 0
    errored: int = 0
    terminated: int = 0
    length: timedelta = timedelta(minutes=5)

    @property
    def ends_on(self) -> datetime:
        return self.begins_on + self.length

    @property
    def ended(self) -> int:
        return self.completed + self.errored + self.terminated


@dataclass(frozen=True)
class Ended:
    """How many ended, and how many of these failed."""

    number: int
    errored: int

    @property
    def share(self) -> float:
        """The failed ones, as a part of 1."""
        return self.errored / max(1, self.number)


@dataclass(frozen=True)
class Counts:
    """Cloudflare's own counts by status, from `at` until the next ones."""

    at: datetime
    by_status: Mapping[str, int]


@dataclass(frozen=True)
class Group:
    """An error group: `title` says what the error is. `hours`: how many failed so in each hour, by
    when it began, in the order of time. `may_be_older`: failures from before its workflow was first
    seen here are still to be read."""

    pk: int
    workflow: int
    title: str
    first_seen_on: datetime
    hours: Sequence[tuple[datetime, int]] = ()
    may_be_older: bool = False

    def count_at(self, at: datetime) -> int:
        """How many had failed so by the end of the hour in which that moment lies."""
        return sum(number for begins, number in self.hours if begins <= at)


@dataclass(frozen=True)
class Reading:
    """A figure from `at` until the next one of its subject."""

    at: datetime
    value: float


@dataclass(frozen=True)
class History:
    """Each sequence is in the order of time. `since`: from when on it is held; None when nothing
    is. `readings` by subject: see below; `words` and `began_at`: what is known of a subject at this
    moment besides its figure, and since when it is so."""

    since: datetime | None = None
    accounts: Mapping[int, str] = field(default_factory=dict)
    workflows: Mapping[int, Place] = field(default_factory=dict)
    periods: Mapping[int, Sequence[Period]] = field(default_factory=dict)
    counts: Mapping[int, Sequence[Counts]] = field(default_factory=dict)
    groups: Sequence[Group] = ()
    readings: Mapping[str, Sequence[Reading]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    began_at: Mapping[str, datetime] = field(default_factory=dict)

    def holds(self, moment: datetime) -> bool:
        """Whether what happened since that moment is known."""
        return self.since is not None and self.since <= moment

    def periods_of(self, workflow: int, after: datetime, until: datetime) -> Sequence[Period]:
        """Those that had ended after one moment and begun before another."""
        found = self.periods.get(workflow, ())
        first = bisect_right(found, after, key=lambda period: period.ends_on)
        return found[first : bisect_left(found, until, key=lambda period: period.begins_on)]

    def ended_within(self, workflow: int, after: datetime, until: datetime) -> Ended:
        """What ended in this window. Of a period longer than it, as much as it is long."""
        periods = self.periods_of(workflow, after, until)
        parts = [min(1.0, (until - after) / period.length) for period in periods]
        number = sum(p.ended * part for p, part in zip(periods, parts, strict=True))
        errored = sum(p.errored * part for p, part in zip(periods, parts, strict=True))
        return Ended(round(number), round(errored))

    def ended_between(self, workflow: int, since: datetime, until: datetime) -> Ended:
        """The same of a long time, in whole periods; as quick however long it is."""
        found = self.periods.get(workflow, ())
        first = bisect_left(found, since, key=lambda period: period.begins_on)
        last = bisect_right(found, until, key=lambda period: period.ends_on)
        if last <= first:
            return Ended(0, 0)
        numbers, errored = self._sums[workflow]
        return Ended(numbers[last] - numbers[first], errored[last] - errored[first])

    @cached_property
    def _sums(self) -> dict[int, tuple[list[int], list[int]]]:
        """Of each workflow what had ended, and failed, before each of its periods."""
        return {
            workflow: (
                [*accumulate((period.ended for period in periods), initial=0)],
                [*accumulate((period.errored for period in periods), initial=0)],
            )
            for workflow, periods in self.periods.items()
        }

    def counts_at(self, workflow: int, at: datetime) -> Counts | None:
        """The counts as of that moment; None before the first."""
        found = self.counts.get(workflow, ())
        place = bisect_right(found, at, key=lambda counts: counts.at)
        return found[place - 1] if place else None

    def groups_between(self, after: datetime, until: datetime) -> Sequence[Group]:
        """Those that were first seen after one moment, and not after another."""
        first = bisect_right(self.groups, after, key=lambda group: group.first_seen_on)
        return self.groups[first : bisect_right(self.groups, until, key=lambda g: g.first_seen_on)]

    def reading_at(self, subject: str, at: datetime) -> float | None:
        """The figure as of that moment; None before the first."""
        found = self.readings.get(subject, ())
        place = bisect_right(found, at, key=lambda reading: reading.at)
        return found[place - 1].value if place else None

    def is_blind(self, workflow: int | None, at: datetime) -> bool:
        """Whether nobody could know what went on in the workflow: its account was not synced."""
        place = self.workflows.get(workflow) if workflow is not None else None
        if place is None:
            return False
        minutes = self.reading_at(sync_of(place.account), at)
        return minutes is not None and minutes >= BLIND_AFTER.total_seconds() / 60

    def seen(self, at: datetime) -> list[tuple[int, Place]]:
        """The workflows of which it was known what went on."""
        return [(pk, place) for pk, place in self.workflows.items() if not self.is_blind(pk, at)]


def sync_of(account: int) -> str:
    """The subject of: whole minutes since the account's sync last came through."""
    return f"sync:{account}"


def budget_of(names: str) -> str:
    """The subject of: percent left of the request budget of these accounts."""
    return f"budget:{names}"


def version_of(workflow: int, version_id: str) -> str:
    """The subject of: figures in which the workflow's version is worse than the one before."""
    return f"version:{workflow}:{version_id}"


def version_in(subject: str) -> tuple[int, str] | None:
    """The workflow and version that `version_of` made the subject of; None for another subject."""
    kind, _, rest = subject.partition(":")
    workflow, _, version_id = rest.partition(":")
    return (int(workflow), version_id) if kind == "version" else None


def stuck_of(workflow: int, step: str) -> str:
    """The subject of: instances of the workflow that are stuck in the step."""
    return f"stuck:{workflow}:{step}"
