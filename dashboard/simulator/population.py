"""The instances of one workflow that nobody touched: a function of their index.

Nothing is kept per instance but its place in the arrays below (4 bytes each, in creation order) and
one number in the queue of changes to come.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import NamedTuple

from .arrivals import Arrivals
from .clock import MINUTE
from .course import FINISHED, FOREVER
from .ids import Ids
from .patterns import Patterns

EVERY = "every"
_BITS = 24
_MANY = 1_500  # changes at once from which starting over is cheaper


@dataclass(frozen=True)
class Backlog:
    """A queue that grows: from `since` on, each instance waits longer, up to `most` ms."""

    since: int = FOREVER
    growth: float = 0.35
    most: int = 14 * MINUTE

    @property
    def longest(self) -> int:
        """How long anybody waits at most."""
        return 0 if self.since == FOREVER else self.most

    def wait(self, created: int) -> int:
        """How long an instance created then waits for a slot, beside the usual moment."""
        return (
            0 if created < self.since else min(self.most, int((created - self.since) * self.growth))
        )


@dataclass(frozen=True)
class Retention:
    """How long finished instances stay, in milliseconds: after success, after anything else."""

    success: int
    error: int

    @property
    def least(self) -> int:
        """For whichever goes first."""
        return min(self.success, self.error)

    def of(self, status: str) -> int:
        """For an instance that finished so."""
        return self.success if status == "complete" else self.error


class Life(NamedTuple):
    """The state of an untouched instance at an instant. In ms; None is not yet."""

    status: str
    created: int
    modified: int
    started: int | None
    ended: int | None
    changes_at: int


class Population:
    """`advance` first, then ask: every answer is for the instant of the last advance."""

    def __init__(
        self,
        *,
        arrivals: Arrivals,
        patterns: Patterns,
        ids: Ids,
        retention: Retention,
        backlog: Backlog,
    ) -> None:
        self.arrivals, self.patterns, self.ids = arrivals, patterns, ids
        self.retention, self.backlog = retention, backlog
        self._lists: dict[str, array[int]] = {}
        self._changes: list[int] = []
        self._count = 0
        self._taken: set[int] = set()

    def start(self, index: int, created: int) -> int:
        """When the instance leaves the queue."""
        return created + 90 + index * 40_503 % 700 + self.backlog.wait(created)

    def life(self, index: int, now: int) -> Life | None:
        """The state of an instance; None when it does not exist yet, or no longer."""
        created = self.arrivals.at(index)
        if created > now:
            return None
        start = self.start(index, created)
        if now < start:
            return Life("queued", created, created, None, None, start)
        pattern = self.patterns.pattern(index, created)
        phase = pattern.at(now - start)
        status, since = pattern.statuses[phase], start + pattern.since[phase]
        until = pattern.ends_after(phase)
        if status not in FINISHED:
            changes = FOREVER if until == FOREVER else start + until
            return Life(status, created, since, start, None, changes)
        expires = since + self.retention.of(status)
        if now >= expires:
            return None
        return Life(status, created, since, start, since, expires)

    def find(self, instance_id: str, now: int) -> int | None:
        """The index of an untouched instance that exists."""
        index = self.ids.decode(instance_id)
        if index is None or index in self._taken or self.life(index, now) is None:
            return None
        return index

    def take(self, index: int, now: int) -> None:
        """Strike an instance from the lists: somebody touched or deleted it."""
        life = self.life(index, now)
        self._taken.add(index)
        if life and index < self._count:
            _remove(self._list(life.status), index)
            _remove(self._list(EVERY), index)

    def is_taken(self, index: int) -> bool:
        """Whether somebody touched or deleted the instance, so that it is not told of from here."""
        return index in self._taken

    def list(self, status: str | None, since: int, until: int) -> tuple[array[int], int, int]:
        """Indexes in creation order, and the bounds of those created in since..until."""
        found = self._list(status or EVERY)
        low = bisect_left(found, self.arrivals.count(since - 1)) if since > 0 else 0
        high = len(found) if until >= FOREVER else bisect_left(found, self.arrivals.count(until))
        return found, low, high

    def counts(self) -> dict[str, int]:
        """How many there are of each status."""
        return {name: len(found) for name, found in self._lists.items() if name != EVERY}

    def advance(self, now: int) -> None:
        """Bring the lists to `now`: new instances in, changed ones moved, expired ones out."""
        count = self.arrivals.count(now)
        limit = now << _BITS | ((1 << _BITS) - 1)
        many = max(_MANY, self._count // 50)
        due: list[int] = []
        while self._changes and self._changes[0] <= limit and len(due) < many:
            due.append(heapq.heappop(self._changes))
        if len(due) >= many or count - self._count >= many:
            self._rebuild(now, count)
            return
        for entry in due:
            self._move(entry, now)
        for index in range(self._count, count):
            self._insert(index, now)
        self._count = count

    def _list(self, status: str) -> array[int]:
        return self._lists.setdefault(status, array("I"))

    def _move(self, entry: int, now: int) -> None:
        index, at = entry & ((1 << _BITS) - 1), (entry >> _BITS) - 1
        if index in self._taken:
            return
        before = self.life(index, at)
        if before:
            _remove(self._list(before.status), index)
            _remove(self._list(EVERY), index)
        self._insert(index, now)

    def _insert(self, index: int, now: int) -> None:
        life = self.life(index, now)
        if life is None or index in self._taken:
            return
        for found in (self._list(life.status), self._list(EVERY)):
            found.insert(bisect_left(found, index), index)
        if life.changes_at < FOREVER:
            heapq.heappush(self._changes, life.changes_at << _BITS | index)

    def _rebuild(self, now: int, count: int) -> None:
        """All over again: cheaper than moving thousands one by one."""
        lists: dict[str, array[int]] = {}
        every = array("I")
        changes: list[int] = []
        for index in range(count):
            life = self.life(index, now)
            if life is None or index in self._taken:
                continue
            every.append(index)
            found = lists.get(life.status)
            if found is None:
                found = lists[life.status] = array("I")
            found.append(index)
            if life.changes_at < FOREVER:
                changes.append(life.changes_at << _BITS | index)
        heapq.heapify(changes)
        lists[EVERY] = every
        self._lists, self._changes, self._count = lists, changes, count


def _remove(found: array[int], index: int) -> None:
    place = bisect_left(found, index)
    if place < len(found) and found[place] == index:
        del found[place]
