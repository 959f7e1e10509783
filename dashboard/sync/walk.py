"""The whole instance list of a workflow, newest first: its newest pages, and what lies behind them.

Freshness never waits for history. The newest pages are read up to a limit; what they do not reach
is written down as a `Gap` in the same transaction that moves the mark, and read later, page by
page, by whoever has requests to spare.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import CloudflareError
from dashboard.cloudflare.types import UNFINISHED
from dashboard.models import Gap, Place, Progress, Workflow
from dashboard.sync.pages import Clock, Written, written_pages

#: A row may appear in a list some seconds after it was created.
OVERLAP = timedelta(seconds=10)


def read_newest(
    client: Client, workflow: Workflow, progress: Progress, *, limit: int, clock: Clock
) -> int:
    """Reads the newest pages, back to what was read before, or at most `limit`. Returns how many
    rows were new. Raises CloudflareError; what was read until then counts."""
    head = _Head(workflow, progress, began_at=clock())
    try:
        for written in written_pages(client, workflow, Place(head.began_at), clock=clock):
            head.add(written)
            if head.is_known_behind(written) or (written.after and head.pages >= limit):
                break
    except CloudflareError:
        if head.pages:
            head.finish(clock())
        raise
    head.finish(clock())
    return head.new


def fill_gap(client: Client, gap: Gap, *, limit: int, clock: Clock) -> bool:
    """Reads the next pages of a gap, at most `limit`; each moves it. True, and it is gone, when it
    was read to its end. Raises CloudflareError."""
    listed = written_pages(client, gap.workflow, gap.place, clock=clock)
    for pages, written in enumerate(listed, start=1):
        is_known = gap.since and written.oldest and written.oldest < gap.since - OVERLAP
        if written.after is None or is_known:
            break
        gap.move(written.after, len(written.rows))
        if pages >= limit:
            return False
    gap.delete()
    return True


class _Head:
    """The newest pages, while they are read."""

    def __init__(self, workflow: Workflow, progress: Progress, *, began_at: datetime) -> None:
        self.workflow, self.progress, self.began_at = workflow, progress, began_at
        self.pages = self.new = self.rows = self.uncounted = 0
        self.newest: datetime | None = None
        self.last: Written | None = None

    def add(self, written: Written) -> None:
        created = [row.created_on for row in written.rows if row.created_on]
        if created:
            self.newest = max(created) if self.newest is None else max(self.newest, *created)
        if not self.pages:
            self.progress.near = dict(Counter(row.status.value for row in written.rows))
        counted_at = self.workflow.counted_at
        self.uncounted += sum(instant > counted_at for instant in created if counted_at)
        self.pages += 1
        self.new += written.new
        self.rows += len(written.rows)
        self.last = written

    def is_known_behind(self, written: Written) -> bool:
        """True when the page, and so every later one, reaches back behind what was read before."""
        known = self.workflow.walked_through
        return bool(known and written.oldest and written.oldest < known - OVERLAP)

    def finish(self, now: datetime) -> None:
        """Moves the mark, and writes down what lies between it and the one before."""
        is_whole = self.last is None or self.last.after is None
        with transaction.atomic():
            if self.last and self.last.after and not self.is_known_behind(self.last):
                self._leave_gap(self.last.after)
            if self.newest:
                known = self.workflow.walked_through
                self.workflow.walked_through = max(self.newest, known or self.newest)
            self.workflow.walked_at = now
            self.workflow.save(update_fields=["walked_through", "walked_at"])
            self.progress.head_total = _total(self.workflow) + self.uncounted
            triggers = [self.workflow.triggered_on, self.newest]
            self.progress.head_triggered_on = max((on for on in triggers if on), default=None)
            if is_whole:  # Then it was a pass over every status as well.
                self._pass_over_all()
            self.progress.save()

    def _leave_gap(self, place: Place) -> None:
        since = self.workflow.walked_through
        Gap.objects.create(
            workflow=self.workflow,
            since=since,
            began_at=place.began_at,
            cursor=place.cursor,
            asked_until=place.asked_until,
            until=place.until,
            rows=max(0, _total(self.workflow) - self._known_rows(since) - self.rows),
        )

    def _known_rows(self, since: datetime | None) -> int:
        return 0 if since is None else self.progress.head_total or 0

    def _pass_over_all(self) -> None:
        began = self.began_at.timestamp()
        for status in UNFINISHED:
            self.progress.passed[status.value] = began
            self.progress.done[f"pass:{status.value}"] = began
        self.progress.places = {}


def _total(workflow: Workflow) -> int:
    return sum(workflow.counts.values()) if workflow.counts else 0
