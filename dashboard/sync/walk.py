"""The whole instance list of a workflow, newest first: its newest pages, and what lies behind them.

Freshness never waits for history. The newest pages are read up to a limit; what they do not reach
is written down as a `Gap` in the same transaction that moves the mark, and read later, page by
page, by whoever has requests to spare.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db import transaction

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import CloudflareError
from dashboard.cloudflare.types import UNFINISHED
from dashboard.models import Gap, Place, Progress, Workflow, tallies
from dashboard.sync.known import PER_PAGE, Kind
from dashboard.sync.leaving import Showing
from dashboard.sync.pages import Chunk, Clock, Walked, reaches_behind, written_chunks

#: A row may appear in a list some seconds after it was created.
OVERLAP = timedelta(seconds=10)
#: A gap of more pages than this is history: closing it must not hold up what is new.
LARGEST_GAP = 50
#: What came so shortly before may be counted and not be listed yet; as much came before.
STILL_COMING = timedelta(minutes=1)
#: A whole list is read again for what is missing in it at most this often.
AGAIN_EVERY = timedelta(hours=6)


def read_newest(
    client: Client, workflow: Workflow, progress: Progress, *, limit: int, clock: Clock
) -> Walked:
    """Reads the newest pages, back to what was read before, or at most `limit`: what these do not
    reach is left to others. Raises CloudflareError; what was read until then counts."""
    begin = Place(clock())
    head = _Head(workflow, progress, begin.began_at)
    showing = Showing(workflow, UNFINISHED, begin, clock)
    try:
        for chunk in written_chunks(
            client, workflow, begin, clock=clock, limit=limit, is_enough=head.is_known_behind
        ):
            showing.add(chunk)
            head.add(chunk)
    except CloudflareError:
        if head.last:
            head.finish(clock())
        raise
    head.finish(clock())
    return Walked(is_done=True, found=showing.found)


def fill_gap(client: Client, gap: Gap, *, limit: int, clock: Clock) -> Walked:
    """Reads the next pages of a gap, at most `limit`, and moves it behind them; it is gone when it
    was read to its end. Raises CloudflareError; what was read until then counts."""
    found = 0

    def is_enough(page: types.InstancePage) -> bool:
        return _is_known_behind(page, gap.since)

    for chunk in written_chunks(
        client,
        gap.workflow,
        gap.place,
        clock=clock,
        limit=limit,
        is_enough=is_enough,
        are_new=gap.since is None,  # Mostly nobody has been there before.
    ):
        found += chunk.new + chunk.changed
        if chunk.is_last or is_enough(chunk.pages[-1]):
            gap.delete()
            return Walked(is_done=True, found=found)
        gap.move(chunk.end, len(chunk.rows))
    return Walked(is_done=False, found=found)


def look_for_missing(workflow: Workflow, progress: Progress, *, now: datetime) -> None:
    """Has the whole list read again where Cloudflare counts more instances than are held, although
    it was read to its end: a page may have left some out, or have been called the last too early.
    """
    again_at = datetime.fromtimestamp(progress.done.get(Kind.HISTORY, 0), tz=UTC)
    if abs(now - again_at) < AGAIN_EVERY or workflow.gaps.exists():
        return
    missing = _total(workflow) - tallies.live_counts([workflow.pk])[workflow.pk].total()
    recent = workflow.instances.filter(created_on__gt=now - 2 * STILL_COMING)
    if missing > 0 and missing > recent.count():
        Gap.objects.create(workflow=workflow, is_history=True, began_at=now, rows=_total(workflow))
        progress.done[Kind.HISTORY] = now.timestamp()


class _Head:
    """The newest pages, while they are read."""

    def __init__(self, workflow: Workflow, progress: Progress, began_at: datetime) -> None:
        self.workflow, self.progress, self.began_at = workflow, progress, began_at
        self.rows = self.uncounted = 0
        self.newest: datetime | None = None
        self.last: Chunk | None = None

    def add(self, chunk: Chunk) -> None:
        if self.last is None and chunk.pages:
            self.progress.near = dict(Counter(row.status.value for row in chunk.pages[0].instances))
        if chunk.created:
            self.newest = max([*chunk.created, self.newest or chunk.created[0]])
        counted_at = self.workflow.counted_at
        self.uncounted += sum(instant > counted_at for instant in chunk.created if counted_at)
        self.rows += len(chunk.rows)
        self.last = chunk

    def is_known_behind(self, page: types.InstancePage) -> bool:
        return _is_known_behind(page, self.workflow.walked_through)

    def finish(self, now: datetime) -> None:
        """Moves the mark, and writes down what lies between it and the one before."""
        with transaction.atomic():
            if (
                self.last
                and not self.last.is_last
                and not self.is_known_behind(self.last.pages[-1])
            ):
                self._leave_gap(self.last.end)
            if self.newest:
                known = self.workflow.walked_through
                self.workflow.walked_through = max(self.newest, known or self.newest)
            self.workflow.walked_at = now
            self.workflow.save(update_fields=["walked_through", "walked_at"])
            self.progress.head_total = _total(self.workflow) + self.uncounted
            triggers = [self.workflow.triggered_on, self.newest]
            self.progress.head_triggered_on = max((on for on in triggers if on), default=None)
            if self.last and self.last.is_last:  # Then it was a pass over every status as well.
                began = self.began_at.timestamp()
                self.progress.done |= {f"{Kind.PASS}:{status}": began for status in UNFINISHED}
                self.progress.places = {}
            self.progress.save()

    def _leave_gap(self, place: Place) -> None:
        if place.is_beginning:
            return  # Nobody could go on from there: the next look goes as far back again.
        since = self.workflow.walked_through
        before = self.progress.head_total or 0 if since else 0
        rows = max(0, _total(self.workflow) - before - self.rows)
        Gap.objects.create(
            workflow=self.workflow,
            is_history=since is None or rows > LARGEST_GAP * PER_PAGE,
            since=since,
            began_at=place.began_at,
            cursor=place.cursor,
            asked_until=place.asked_until,
            until=place.until,
            rows=rows,
        )


def _is_known_behind(page: types.InstancePage, mark: datetime | None) -> bool:
    """True when the page, and so every later one, reaches back behind what was read before."""
    return reaches_behind(page, mark - OVERLAP if mark else None)


def _total(workflow: Workflow) -> int:
    return sum(workflow.counts.values()) if workflow.counts else 0
