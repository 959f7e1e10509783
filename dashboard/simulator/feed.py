"""The events of the whole account in a stretch of time: late, sampled, and with a limit of its own.

Of the untouched instances only those are looked at that may have an event then: the courses share a
few hundred patterns, whose events stand at known distances from the start of an instance.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from .chance import mix, salt_of
from .clock import DAY, SECOND
from .course import Course
from .happenings import QUEUED, Happening, of_course
from .instance import Instance
from .population import Population
from .ratelimit import RateLimit
from .workflow import Workflow

#: How long events are kept, and how many queries a token has in five minutes.
KEPT = 31 * DAY
QUERIES = 320
_LEAVES_QUEUE = 90  # ms that an instance waits at least before it starts
_QUEUES_LONGEST = 800


class Event(NamedTuple):
    """One row. `second` is when, cut to whole seconds as the analytics have it, in ms."""

    second: int
    workflow: str
    instance: str
    what: Happening


@dataclass
class Feed:
    """Events show `lag` seconds late, and of all of them only a `share` between 0 and 1."""

    lag: float = 5.0
    share: float = 1.0
    limit: RateLimit = field(default_factory=lambda: RateLimit(QUERIES))

    def events(
        self,
        workflows: Iterable[Workflow],
        since: int,
        until: int,
        now: int,
        kinds: frozenset[str] | None,
    ) -> list[Event]:
        """What `since <= datetime <= until` shows at `now`, oldest first; None is every kind."""
        last = min(until // SECOND * SECOND + SECOND - 1, now - round(self.lag * SECOND))
        first = -(-since // SECOND) * SECOND
        found = [
            Event(what.at // SECOND * SECOND, workflow.name, instance_id, what)
            for workflow in workflows
            for instance_id, what in _of_workflow(workflow, first, last, kinds)
            if first <= what.at <= last and (kinds is None or what.kind in kinds)
        ]
        return sorted(filter(self._is_kept, found))

    def _is_kept(self, event: Event) -> bool:
        if self.share >= 1:
            return True
        return mix(0, salt_of(*event)) < self.share * 2**64


def _of_workflow(
    workflow: Workflow, first: int, last: int, kinds: frozenset[str] | None
) -> Iterator[tuple[str, Happening]]:
    for instance in workflow.instances.values():
        if instance.created <= last:
            yield from ((instance.id, what) for what in _of_instance(instance))
    population = workflow.population
    if population:
        for index in _candidates(population, first, last, kinds):
            yield from _of_untouched(population, index, first, last)


def _of_instance(instance: Instance) -> Iterator[Happening]:
    """Also what happened before somebody restarted it: each course up to the next act."""
    since = 0
    for until, course, queued in [
        *instance.history,
        (1 << 62, instance.course, instance.queued),
    ]:
        yield from (what for what in _from_queue(course, queued) if since <= what.at < until)
        since = until


def _from_queue(course: Course, queued: int) -> Iterator[Happening]:
    yield Happening(queued, QUEUED)
    yield from of_course(course)


def _of_untouched(
    population: Population, index: int, first: int, last: int
) -> Iterator[tuple[str, Happening]]:
    created = population.arrivals.at(index)
    start = population.start(index, created)
    happenings = population.patterns.happenings(index, created)
    instance_id = population.ids.encode(index)
    yield instance_id, Happening(created, QUEUED)
    for place in range(bisect_left(happenings, (first - start,)), len(happenings)):
        what = happenings[place]
        if start + what.at > last:
            return
        yield instance_id, what._replace(at=start + what.at)


def _candidates(
    population: Population, first: int, last: int, kinds: frozenset[str] | None
) -> Iterator[int]:
    """Indexes of the instances created when one of these events would fall into the stretch."""
    longest = _QUEUES_LONGEST + population.backlog.longest
    spans = [(first, last)] if kinds is None or QUEUED in kinds else []
    for kind, moments in population.patterns.moments.items():
        if kinds is None or kind in kinds:
            spans += [(first - at - longest, last - at - _LEAVES_QUEUE) for at in moments]
    done = 0
    for low, high in sorted(spans):
        begin = max(done, population.arrivals.count(low - 1))
        end = population.arrivals.count(min(high, last))
        yield from (index for index in range(begin, end) if not population.is_taken(index))
        done = max(done, end)
