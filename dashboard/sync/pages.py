"""Asking for pages of an instance list and writing them down, from any place, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import CursorExpired
from dashboard.cloudflare.types import Status
from dashboard.models import Place, Workflow, recording

Clock = Callable[[], datetime]

#: `date_end` may or may not include its own millisecond; a row that comes twice does no harm.
A_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Written:
    """A page that was written down. `after`: the place behind it; None at the list's end.

    `oldest`: the `created_on` of its last row, None where the page is not sorted newest first (no
    order is documented) or does not tell. `new`: rows that were not known.
    """

    rows: tuple[types.Instance, ...]
    after: Place | None
    oldest: datetime | None
    new: int


def written_pages(
    client: Client,
    workflow: Workflow,
    place: Place,
    *,
    clock: Clock,
    status: Status | None = None,
    until: datetime | None = None,
) -> Iterator[Written]:
    """The pages from `place` on, each once it is written. Raises CloudflareError.

    `until`: begin with rows of that instant, when the place has no better beginning. A cursor that
    Cloudflare has forgotten is replaced by the date of the last row that was written.
    """
    place = place if place.cursor or until is None else place.after("", until)
    while True:
        try:
            for written in _pages(client, workflow, place, clock, status):
                place = written.after or place
                yield written
        except CursorExpired:
            if not place.cursor:
                raise
            place = place.after("", place.until)
        else:
            return


def _pages(
    client: Client, workflow: Workflow, place: Place, clock: Clock, status: Status | None
) -> Iterator[Written]:
    asked_until = place.asked_until
    if not place.cursor:
        asked_until = place.until + A_MOMENT if place.until else None
    asked_at = clock()
    pages = client.list_instances(
        workflow.name, status=status, date_end=asked_until, cursor=place.cursor or None
    )
    for page in pages:
        recorded = recording.record_page(
            workflow,
            page.instances,
            asked_at=asked_at,
            now=clock(),
            is_list_live=client.target.is_list_live,
        )
        oldest = _oldest(page)
        after = (
            Place(place.began_at, page.cursor, asked_until, oldest or place.until)
            if page.cursor
            else None
        )
        yield Written(page.instances, after, oldest, recorded.new)
        asked_at = clock()


def _oldest(page: types.InstancePage) -> datetime | None:
    created = [row.created_on for row in page.instances if row.created_on]
    return created[-1] if created and created == sorted(created, reverse=True) else None
