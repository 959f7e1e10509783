"""The lists of single statuses: the unfinished ones, and the errored."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import Invalid, Unsupported
from dashboard.cloudflare.types import Status
from dashboard.models import Place, Progress, Workflow, recording
from dashboard.sync.known import Kind
from dashboard.sync.leaving import Showing
from dashboard.sync.pages import Clock, Walked, reaches_behind, written_chunks

#: The errored list is read back to where only one unfinished instance in so many is older.
OLDEST_PART = 20


def pass_over(
    client: Client,
    workflow: Workflow,
    progress: Progress,
    status: Status,
    *,
    limit: int,
    clock: Clock,
) -> Walked:
    """Copies the instances in this status, at most `limit` pages from where the last one stood, and
    marks those that it should have shown.

    A limit of 0 is the whole pass over a status that Cloudflare has just counted as empty. Raises
    CloudflareError. A target that does not know the status has none.
    """
    if not limit:
        asked_at = workflow.counted_at or clock()
        left = recording.mark_left(workflow, [status], shown=(), asked_at=asked_at, now=clock())
        progress.places.pop(status.value, None)
        return Walked(is_done=True, found=left)
    place = _place(progress, status, clock)
    showing = Showing(workflow, [status], place, clock)
    with suppress(Invalid, Unsupported):
        for chunk in written_chunks(
            client, workflow, place, clock=clock, status=status, limit=limit
        ):
            showing.add(chunk)
            if not chunk.is_last:
                _keep(progress, status, chunk.end)
        if not chunk.is_last:
            return Walked(is_done=False, found=showing.found)
    progress.places.pop(status.value, None)
    return Walked(is_done=True, found=showing.found, began_at=place.began_at)


def read_errored(client: Client, workflow: Workflow, *, clock: Clock) -> Walked:
    """The newest page of the errored list. Raises CloudflareError."""
    begin = Place(clock())
    chunks = written_chunks(client, workflow, begin, clock=clock, status=Status.ERRORED, limit=1)
    return Walked(is_done=True, found=sum(chunk.new + chunk.changed for chunk in chunks))


def read_errored_deep(
    client: Client, workflow: Workflow, progress: Progress, *, limit: int, clock: Clock
) -> Walked:
    """The errored list, at most `limit` pages from where the last one stood.

    What errs now was unfinished before; so once the whole list was read, it ends behind nearly all
    unfinished ones. The few older ones are read one by one, as they leave their lists. Raises
    CloudflareError.
    """
    is_first = Kind.DEEP_ERRORED not in progress.done
    end = None if is_first else _oldest_unfinished(workflow)
    place = _place(progress, Status.ERRORED, clock)
    if place.is_beginning:
        progress.deep_pages = 0
    is_whole, found = False, 0

    def is_enough(page: types.InstancePage) -> bool:
        return reaches_behind(page, end)

    for chunk in written_chunks(
        client,
        workflow,
        place,
        clock=clock,
        status=Status.ERRORED,
        limit=limit,
        is_enough=is_enough,
    ):
        progress.deep_pages += len(chunk.pages)
        found += chunk.new + chunk.changed
        is_whole = chunk.is_last or is_enough(chunk.pages[-1])
        if not is_whole:
            _keep(progress, Status.ERRORED, chunk.end)
    progress.deep_pages = max(1, progress.deep_pages)
    if is_whole:
        progress.places.pop(Status.ERRORED.value, None)
    return Walked(is_done=is_whole, found=found)


def _place(progress: Progress, status: Status, clock: Clock) -> Place:
    kept = progress.places.get(status.value)
    return Place.of(kept) if kept else Place(clock())


def _keep(progress: Progress, status: Status, place: Place) -> None:
    """At once, so that a pass goes on at its page whatever interrupts it."""
    progress.places[status.value] = place.kept()
    progress.save(update_fields=["places", "deep_pages"])


def _oldest_unfinished(workflow: Workflow) -> datetime | None:
    rows = workflow.instances.unfinished().order_by("created_on")
    skipped = rows.count() // OLDEST_PART
    return rows.values_list("created_on", flat=True)[skipped : skipped + 1].first()
