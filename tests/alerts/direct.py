"""A simulated account whose rows, details and events are recorded without a single request.

The simulator's world is the real one, and so are recording, learning, and judging; what is left out
is HTTP, the sync's plan of what to ask next, Redis and Celery. So a week takes minutes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.cloudflare import WorkflowEvent, parsing
from dashboard.cloudflare.events import STEP_ENDS
from dashboard.models import Account, Instance, StepFeed, Workflow, recording, step_recording
from dashboard.models.instance import ERRORED_UNREAD
from dashboard.models.recording import Listed
from dashboard.simulator import shape
from dashboard.simulator.clock import Clock, instant
from dashboard.simulator.course import FINISHED, FOREVER
from dashboard.simulator.feed import Feed
from dashboard.simulator.scenarios import SCENARIOS
from dashboard.simulator.workflow import Row
from dashboard.simulator.workflow import Workflow as Home
from dashboard.simulator.world import World
from tests.alerts.watch import Watch

#: Older events Cloudflare does not have.
KEPT = timedelta(days=31)
#: Rows that are written at once, as the sync does.
AT_ONCE = 1_000
KINDS = {str(kind): kind for kind in STEP_ENDS}
#: Of an answer about a workflow, a version.
Json = dict[str, Any]


@dataclass
class Direct(Watch):
    """`each`: of the unfinished instances that have begun or moved on each so many-th is read, and
    again when it is late; those that failed are all read."""

    each: int = 1
    _feed: Feed = field(default_factory=lambda: Feed(lag=0))
    _begun: dict[str, int] = field(default_factory=dict)
    _changes: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def look(self) -> None:
        now = self.clock()
        for workflow in recording.record_workflows(self.account, [*self._workflows()], now=now):
            home = self.world.workflows[workflow.name]
            versions = [parsing.version(told) for told in _versions(home, self.world.now)]
            if workflow.versions.count() < len(versions):
                recording.record_versions(workflow, versions, now=now)
            rows = [*self._changed(home)]
            for start in range(0, len(rows), AT_ONCE):
                told = [
                    parsing.instance(shape.row(row, home.id, old=False))
                    for row in rows[start : start + AT_ONCE]
                ]
                recording.record_pages(workflow, [Listed(told, now)], now=now)
            unfinished = [row.id for row in rows if row.status not in FINISHED]
            for instance_id in unfinished[:: self.each]:
                self._read(workflow, instance_id)
        for rows_to_read in (
            Instance.objects.filter(ERRORED_UNREAD),
            Instance.objects.late(now),
            Instance.objects.stuck_at_last(now),
        ):
            for row in rows_to_read.select_related("workflow"):
                self._read(row.workflow, row.instance_id)
        self._record_steps(now)
        self.account.counted_at = self.account.synced_at = now
        self.account.save()
        self.learn()

    def _workflows(self) -> Iterator[Any]:
        for home in self.world.workflows.values():
            told = {
                "id": home.id,
                "name": home.name,
                "created_on": instant(home.created),
                "instances": home.counts(self.world.now),
            }
            yield parsing.workflow(told)

    def _changed(self, home: Home) -> Iterator[Row]:
        """What a list would show anew, of instances that nobody has acted upon."""
        population, now = home.population, self.world.now
        assert population is not None
        changes = self._changes.setdefault(home.name, [])
        first, end = self._begun.get(home.name, 0), population.arrivals.count(now)
        self._begun[home.name] = end
        indexes = [*range(first, end)]
        while changes and changes[0][0] <= now:
            indexes.append(heapq.heappop(changes)[1])
        for index in indexes:
            life = population.life(index, now)
            if life is None:
                continue  # Its retention has ended.
            if life.changes_at < FOREVER and life.status not in FINISHED:
                heapq.heappush(changes, (life.changes_at, index))
            yield Row(
                population.ids.encode(index),
                *(life.status, life.created, life.modified, life.started, life.ended),
                home.version_at(life.created).id,
                "binding",
            )

    def _read(self, workflow: Workflow, instance_id: str) -> None:
        found = self.world.workflows[workflow.name].get(instance_id, self.world.now)
        assert found is not None
        told = shape.detail(found, self.world.now, simple=False, descending=False, old=False)
        detail = parsing.instance_detail(told, outputs_are_text=True, read_on=self.clock())
        recording.record_detail(workflow, instance_id, detail, now=self.clock())

    def _record_steps(self, now: datetime) -> None:
        StepFeed.of(self.account)
        step_recording.lay_out(self.account, oldest=now - KEPT, until=now.replace(microsecond=0))
        for stretch in self.account.unread_stretches.all():
            step_recording.record_stretch(
                stretch, stretch.since, stretch.until, [*self._events(stretch.since, stretch.until)]
            )

    def _events(self, since: datetime, until: datetime) -> Iterator[WorkflowEvent]:
        homes, now = self.world.workflows.values(), self.world.now
        first, last = round(since.timestamp() * 1000), round(until.timestamp() * 1000) - 1
        for second, workflow, instance, what in self._feed.events(
            homes, first, last, now, frozenset(KINDS)
        ):
            at = datetime.fromtimestamp(second / 1000, tz=UTC)
            place = (workflow, instance, what.step, what.number)
            yield WorkflowEvent(at, KINDS[what.kind], *place, what.wall_time)


def _versions(home: Home, now: int) -> Iterator[Json]:
    for version in home.deployed(now):
        yield {"id": version.id, "created_on": instant(version.created)}


def direct(scenario: str, now: datetime, *, each: int = 1, **facts: Any) -> Direct:
    """The dashboard has not looked yet, and there is no rule."""
    world = World(SCENARIOS[scenario], clock=Clock(now), **facts)
    account = Account.objects.create(account_id=world.account_id, name="test")
    return Direct(world, account, each=each)
