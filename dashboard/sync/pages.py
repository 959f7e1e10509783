"""Asking for pages of an instance list and writing them down, from any place, up to a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from operator import ge

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import CloudflareError, CursorExpired
from dashboard.cloudflare.types import Status
from dashboard.models import Place, Workflow, recording
from dashboard.models.recording import Listed

Clock = Callable[[], datetime]
Judge = Callable[[types.InstancePage], bool]

#: Writing a thousand rows at once costs half of writing them page by page.
PAGES_AT_ONCE = 10
#: `date_end` may or may not include its own millisecond; a row that comes twice does no harm.
A_MOMENT = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Walked:
    """How a walk went. `is_done`: it came to its end. `found`: rows that it corrected: new ones,
    changed ones, and those that it noticed to have left. `began_at`: of one that may take hours,
    when it began; what it saw first may have changed ever since."""

    is_done: bool
    found: int
    began_at: datetime | None = None


@dataclass(frozen=True)
class Chunk:
    """Pages that were written down together; none when nothing lay behind `begin`.

    `begin`: the place before them. `asked_at`: when the first was asked for. `cursor`: Cloudflare's
    place behind them, "" where it gives none. `is_last`: the list ended with them. `new`: rows that
    were not known; `changed`: rows that were, as something else.
    """

    pages: tuple[types.InstancePage, ...]
    begin: Place
    asked_at: datetime
    asked_until: datetime | None
    is_last: bool
    new: int
    changed: int

    @cached_property
    def rows(self) -> list[types.Instance]:
        return [row for page in self.pages for row in page.instances]

    @cached_property
    def created(self) -> list[datetime]:
        return [row.created_on for row in self.rows if row.created_on]

    @cached_property
    def is_sorted(self) -> bool:
        """True when the list ran newest first from `begin` to the end of the chunk, and so shows
        all that it holds of that time: no order is documented."""
        if not all(page.is_sorted for page in self.pages):
            return False
        if not self.begin.is_beginning and self.begin.until is None:
            return False
        moments = [self.begin.until + A_MOMENT] if self.begin.until else []
        moments += self.created
        return all(map(ge, moments, moments[1:]))

    @property
    def oldest(self) -> datetime | None:
        """The `created_on` that it reaches back to; None where it is not sorted."""
        return (self.created[-1] if self.created else self.begin.until) if self.is_sorted else None

    @property
    def cursor(self) -> str:
        return self.pages[-1].cursor or "" if self.pages else ""

    @property
    def end(self) -> Place:
        """The place behind it."""
        oldest = self.oldest
        shown = {row.id for row in self.rows if row.created_on == oldest} if oldest else set()
        if oldest and oldest == self.begin.until:
            shown.update(self.begin.shown)
        return Place(
            self.begin.began_at, self.cursor, self.asked_until, oldest, tuple(sorted(shown))
        )


def written_chunks(
    client: Client,
    workflow: Workflow,
    place: Place,
    *,
    clock: Clock,
    status: Status | None = None,
    limit: int | None = None,
    is_enough: Judge = lambda page: False,
    are_new: bool = False,
) -> Iterator[Chunk]:
    """The list from `place` on, each chunk once it is written. Raises CloudflareError.

    It ends with a chunk that is the last; before, after `limit` pages or a page that `is_enough`,
    but only where Cloudflare tells how to go on from there. A cursor that it has forgotten is
    replaced by the date of the last row that was written. `are_new`: as in `record_pages`.
    """
    while True:
        try:
            for chunk in _chunks(
                client,
                workflow,
                place,
                clock=clock,
                status=status,
                limit=limit,
                is_enough=is_enough,
                are_new=are_new,
            ):
                place = chunk.end
                yield chunk
                if limit:
                    limit = max(1, limit - len(chunk.pages))
        except CursorExpired:
            if not place.cursor:
                raise
            place = place.without_cursor()
        else:
            return


def _chunks(
    client: Client,
    workflow: Workflow,
    place: Place,
    *,
    clock: Clock,
    status: Status | None,
    limit: int | None,
    is_enough: Judge,
    are_new: bool,
) -> Iterator[Chunk]:
    """As above, until a cursor is refused. What was read before a failure is written before that is
    raised."""
    asked_until = place.asked_until
    if not place.cursor and place.until:
        asked_until = place.until + A_MOMENT
    batch = _Batch(client, workflow, place, asked_until, clock, are_new=are_new)
    pages = client.list_instances(
        workflow.name, status=status, date_end=asked_until, cursor=place.cursor or None
    )
    try:
        for number, page in enumerate(pages, start=1):
            batch.add(page)
            is_over = bool(page.cursor) and (number == limit or is_enough(page))
            if is_over or batch.is_full:
                yield batch.write()
            if is_over:
                return
    except CloudflareError:
        if batch.pages:
            yield batch.write()
        raise
    yield batch.write(is_last=True)


def reaches_behind(page: types.InstancePage, moment: datetime | None) -> bool:
    """True when the page, and so every later one, is older. Only one that is sorted newest first
    can promise that."""
    oldest = page.instances[-1].created_on if page.is_sorted and page.instances else None
    return bool(moment and oldest and oldest < moment)


class _Batch:
    """Pages that are still to be written, from `begin` on."""

    def __init__(
        self,
        client: Client,
        workflow: Workflow,
        begin: Place,
        asked_until: datetime | None,
        clock: Clock,
        *,
        are_new: bool,
    ) -> None:
        self._client, self._workflow, self._clock = client, workflow, clock
        self._are_new = are_new
        self._begin, self._asked_until = begin, asked_until
        self._asked_at = clock()
        self.pages: list[tuple[types.InstancePage, datetime]] = []

    @property
    def is_full(self) -> bool:
        return len(self.pages) >= PAGES_AT_ONCE

    def add(self, page: types.InstancePage) -> None:
        self.pages.append((page, self._asked_at))
        self._asked_at = self._clock()

    def write(self, *, is_last: bool = False) -> Chunk:
        """Writes them down; the next batch begins behind them."""
        recorded = recording.record_pages(
            self._workflow,
            [Listed(page.instances, asked_at) for page, asked_at in self.pages],
            now=self._clock(),
            is_list_live=self._client.target.is_list_live,
            are_new=self._are_new,
        )
        chunk = Chunk(
            tuple(page for page, _ in self.pages),
            self._begin,
            self.pages[0][1] if self.pages else self._asked_at,
            self._asked_until,
            is_last,
            recorded.new,
            recorded.changed,
        )
        self.pages, self._begin = [], chunk.end
        return chunk
