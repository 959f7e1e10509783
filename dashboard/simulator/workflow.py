"""One workflow: its versions, its untouched instances, and the few that somebody acted upon."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from .chance import salt_of, uuid_of
from .course import FOREVER, Course
from .definition import Definition, VersionOf
from .facts import Facts
from .ids import Scheduled
from .instance import Instance, Schedule
from .population import Population


@dataclass
class Version:
    """One deployed state of a workflow; `settings` are concurrency, retention, limits."""

    id: str
    created: int
    class_name: str
    has_dag: bool
    language: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of instances; times in ms."""

    id: str
    status: str
    created: int
    modified: int
    started: int | None
    ended: int | None
    version_id: str
    trigger: str


@dataclass(frozen=True)
class Query:
    """What a list is asked for; no statuses means all of them.

    `after` is the (created, id) that the page before ended with, `lag` how old the rows are, in ms.
    """

    statuses: tuple[str, ...] = ()
    since: int = 0
    until: int = FOREVER
    descending: bool = True
    after: tuple[int, str] | None = None
    skip: int = 0
    limit: int = 20
    lag: int = 0


@dataclass(frozen=True)
class Page:
    """Rows, how many match in all, and whether more follow."""

    rows: list[Row]
    total: int
    more: bool


Key = tuple[int, str]


class Workflow:
    """Every method takes `now` in ms; instances are found by id, the untouched ones computed."""

    def __init__(
        self, definition: Definition, population: Population | None, *, seed: int, start: int
    ) -> None:
        self.definition, self.population = definition, population
        self.name, self.seed = definition.name, seed
        self.script_name, self.class_name = definition.script_name, definition.class_name
        self.id = uuid_of(seed, "workflow", self.name)
        ordered = sorted(definition.versions, key=lambda v: -v.age)
        self.versions = [self._version(v, start) for v in ordered]
        self.created = self.modified = start
        if self.versions:
            self.created, self.modified = self.versions[0].created, self.versions[-1].created
        self.schedules = [definition.cron] if definition.cron else []
        self.terminates_at: tuple[int, str | None] | None = None
        self.instances: dict[str, Instance] = {}
        self.added = 0
        self._expires_from = FOREVER  # Before this nothing has to be looked through.
        self._order: list[Key] = []

    def _version(self, version: VersionOf, start: int) -> Version:
        created = start - version.age
        settings = {"concurrency": {"limit": version.concurrency}} if version.concurrency else {}
        return Version(
            uuid_of(self.seed, self.name, "version", version.age),
            created,
            self.definition.class_name,
            version.has_dag,
            version.language,
            settings,
        )

    def deployed(self, now: int) -> list[Version]:
        """The versions that there are by now, the oldest first."""
        return [version for version in self.versions if version.created <= now]

    def version_at(self, created: int) -> Version:
        """The version that an instance created then runs."""
        place = bisect_right([version.created for version in self.versions], created)
        return self.versions[max(0, place - 1)]

    def advance(self, now: int) -> None:
        """Bring everything to `now`."""
        if self.population:
            self.population.advance(now)
        if now < self._expires_from:
            return
        for key, instance in list(self.instances.items()):
            if instance.is_expired(now):
                self._forget(key)
        moments = [one.expires_from for one in self.instances.values()]
        self._expires_from = min(moments, default=FOREVER)

    # -- one instance ---------------------------------------------------------------------------

    def get(self, instance_id: str, now: int) -> Instance | None:
        """An instance, built for the asking when nobody touched it."""
        self.advance(now)
        found = self.instances.get(instance_id)
        if found or not self.population:
            return found
        index = self.population.find(instance_id, now)
        return None if index is None else self._build(index, now)

    def touch(self, instance_id: str, now: int) -> Instance | None:
        """An instance to change: from here on it is an object of its own."""
        instance = self.get(instance_id, now)
        if instance and instance_id not in self.instances:
            if self.population:
                self.population.take(instance.index, now)
            self.add(instance)
        if instance:
            may_end = now + instance.retention.least
            self._expires_from = min(self._expires_from, may_end)
        return instance

    def add(self, instance: Instance) -> None:
        """Put an instance beside the untouched ones."""
        self.added += 1
        self.instances[instance.id] = instance
        self._expires_from = min(self._expires_from, instance.expires_from)
        insort(self._order, (instance.created, instance.id))

    def delete(self, instance_id: str, now: int) -> bool:
        """Remove an instance; False when there is none."""
        if not self.touch(instance_id, now):
            return False
        self._forget(instance_id)
        return True

    def _forget(self, instance_id: str) -> None:
        instance = self.instances.pop(instance_id)
        del self._order[bisect_left(self._order, (instance.created, instance_id))]

    def _build(self, index: int, now: int) -> Instance:
        population = self.population
        assert population is not None  # noqa: S101 - only untouched instances have an index
        created = population.arrivals.at(index)
        facts = self.facts(index)
        outcome = population.patterns.outcome(index, created)
        plan = population.patterns.plan(outcome, population.patterns.variation(index), facts)
        course = Course(plan, population.start(index, created))
        for act in plan.acts:
            if course.start + act.at <= now:
                course.apply(act.action, course.start + act.at, rollback=act.rollback)
        schedule = None
        if isinstance(population.ids, Scheduled):
            schedule = Schedule(population.ids.cron, population.ids.scheduled_time(index))
        return Instance(
            population.ids.encode(index),
            self.version_at(created).id,
            self._trigger(index),
            created,
            created,
            course,
            self.definition.params(facts),
            population.retention,
            schedule,
            index,
        )

    def facts(self, number: int) -> Facts:
        """The particulars of the instance of this number."""
        return Facts(salt_of(self.seed, self.name, number))

    def _trigger(self, index: int) -> str:
        if self.definition.cron:
            return "cron"
        return self.definition.triggers[index % len(self.definition.triggers)]

    # -- many instances -------------------------------------------------------------------------

    def counts(self, now: int) -> dict[str, int]:
        """How many instances there are of each status that occurs."""
        self.advance(now)
        found = Counter(self.population.counts() if self.population else {})
        found.update(instance.status(now) for instance in self.instances.values())
        return {status: count for status, count in found.items() if count}

    def last_triggered(self, now: int) -> int | None:
        """When the newest instance was created."""
        page = self.page(Query(limit=1), now)
        return page.rows[0].created if page.rows else None

    def page(self, query: Query, now: int) -> Page:
        """One page of the list, ordered by creation and id."""
        self.advance(now)
        own = [
            key
            for key in self._order
            if query.since <= key[0] <= query.until
            and (not query.statuses or self.instances[key[1]].status(now) in query.statuses)
        ]
        total = len(own)
        streams = [self._own(own, query)]
        skip = query.skip
        jump = skip if not own and len(query.statuses) < 2 else 0
        for status in query.statuses or (None,):
            if self.population:
                found, low, high = self.population.list(status, query.since, query.until)
                total += high - low
                streams.append(self._untouched(found, low, high, query, jump))
        if self.population:
            skip -= jump
        keys = heapq.merge(*streams, reverse=query.descending)
        taken = list(islice(keys, skip, skip + query.limit + 1))
        seen_at = now - query.lag
        rows = [row for key in taken[: query.limit] if (row := self._row(key, seen_at))]
        if query.lag and query.statuses:
            rows = [row for row in rows if row.status in query.statuses]
        return Page(rows, total, len(taken) > query.limit)

    def _own(self, keys: list[Key], query: Query) -> Iterator[Key]:
        after = query.after
        for key in reversed(keys) if query.descending else keys:
            if after is None or (key < after if query.descending else key > after):
                yield key

    def _untouched(self, found: Any, low: int, high: int, query: Query, jump: int) -> Iterator[Key]:
        population = self.population
        assert population is not None  # noqa: S101 - the caller has just listed it
        at, encode, after = population.arrivals.at, population.ids.encode, query.after
        if query.descending:
            if after:
                high = min(high, bisect_left(found, population.arrivals.count(after[0])))
            places = range(high - 1 - jump, low - 1, -1)
        else:
            if after:
                low = max(low, bisect_left(found, population.arrivals.count(after[0] - 1)))
            places = range(low + jump, high)
        for place in places:
            key = (at(found[place]), encode(found[place]))
            if after is None or (key < after if query.descending else key > after):
                yield key

    def _row(self, key: Key, now: int) -> Row | None:
        created, instance_id = key
        instance = self.instances.get(instance_id)
        if instance:
            if created > now:
                return None
            return Row(
                instance_id,
                instance.status(now),
                created,
                instance.modified(now),
                instance.started(now),
                instance.ended(now),
                instance.version_id,
                instance.trigger,
            )
        index = self.population.ids.decode(instance_id) if self.population else None
        life = self.population.life(index, now) if self.population and index is not None else None
        if life is None or index is None:
            return None
        return Row(
            instance_id,
            life.status,
            created,
            life.modified,
            life.started,
            life.ended,
            self.version_at(created).id,
            self._trigger(index),
        )
