"""Instances that their lists no longer show: finding that out, and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from dashboard.cloudflare import Client
from dashboard.cloudflare.types import FINISHED, UNFINISHED
from dashboard.models import Instance, Place, Workflow, recording
from dashboard.sync.known import PER_PAGE
from dashboard.sync.pages import Chunk, Clock, written_chunks
from dashboard.sync.reading import read_each

#: Below so many on one page of the whole list, reading each by itself says more and costs the same.
TOGETHER = 2
#: A status that we do not know has no list to ask for: there so long without news is taken for it.
UNKNOWN_FOR = timedelta(minutes=10)


class Showing:
    """What a walk over the list of some statuses shows, and so which rows it should have shown.

    Where the list is sorted each chunk tells that of the time it covers, whoever read those before.
    An unsorted list has to be read from its beginning to its end in one go. `found`: rows that are
    new, changed, or have left.
    """

    def __init__(
        self, workflow: Workflow, statuses: Collection[str], begin: Place, clock: Clock
    ) -> None:
        self._workflow, self._statuses, self._clock = workflow, statuses, clock
        self._is_from_beginning, self._asked_at = begin.is_beginning, clock()
        self._is_sorted = True
        self.found = 0
        self._ids: set[str] = set()

    def add(self, chunk: Chunk) -> None:
        """Marks the rows that the chunk should have shown, and did not."""
        self.found += chunk.new + chunk.changed
        ids = {row.id for row in chunk.rows}
        self._ids |= ids
        self._is_sorted &= chunk.is_sorted
        if chunk.is_sorted:
            # Rows of the very instant where it begins and ends may stand on both sides.
            until, since = chunk.begin.until, None if chunk.is_last else chunk.oldest
            self._mark(ids | {*chunk.begin.shown}, chunk.asked_at, since, until)
        elif chunk.is_last and self._is_from_beginning:
            self._mark(self._ids, self._asked_at)

    def _mark(
        self,
        shown: set[str],
        asked_at: datetime,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        self.found += recording.mark_left(
            self._workflow,
            self._statuses,
            shown=shown,
            asked_at=asked_at,
            now=self._clock(),
            since=since,
            until=until,
        )


def mark_silent(workflow: Workflow, statuses: Collection[str], *, clock: Clock) -> None:
    """Marks the rows of statuses that we do not know and of which nothing was heard for long."""
    if unknown := [status for status in statuses if status not in UNFINISHED | FINISHED]:
        now = clock()
        recording.mark_silent(workflow, unknown, before=now - UNKNOWN_FOR, now=now)


def settle_left(client: Client, workflow: Workflow, *, limit: int, clock: Clock) -> int:
    """Finds out what became of rows that left their lists, with at most `limit` requests: a page of
    the whole list where several lie together, else each by itself. Returns how many were settled.

    Raises CloudflareError.
    """
    settled = requests = 0
    while requests < limit:
        together = _newest_together(workflow)
        pks = [row.pk for row in together]
        if len(together) > TOGETHER and client.target.has_list_times:
            _read_around(client, workflow, together[0].created_on, clock)
            requests += 1
            still = set(workflow.instances.left().filter(pk__in=pks).values_list("pk", flat=True))
            together = [row for row in together if row.pk in still]
        wanted = together[: limit - requests]
        read_each(client, wanted, clock=clock)
        requests += len(wanted)
        found = len(pks) - workflow.instances.left().filter(pk__in=pks).count()
        settled += found
        if not found:
            break
    return settled


def _newest_together(workflow: Workflow) -> list[Instance]:
    """The newest of those that left, with the others that a page of the whole list would show."""
    left = workflow.instances.left().with_workflow().newest_first()
    newest = left.first()
    if newest is None:
        return []
    around = workflow.instances.filter(created_on__lte=newest.created_on).newest_first()
    oldest = around.values_list("created_on", flat=True)[PER_PAGE - 1 : PER_PAGE].first()
    return list((left.filter(created_on__gte=oldest) if oldest else left)[:PER_PAGE])


def _read_around(client: Client, workflow: Workflow, newest: datetime, clock: Clock) -> None:
    place = Place(clock(), until=newest + timedelta(microseconds=1))
    next(written_chunks(client, workflow, place, clock=clock, limit=1), None)
