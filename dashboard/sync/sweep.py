"""The lists of single statuses, and the instances that these lists no longer show."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from dashboard.cloudflare import Client, Lane
from dashboard.cloudflare.errors import Invalid, NotFound, Unsupported
from dashboard.cloudflare.types import FINISHED, UNFINISHED, Status
from dashboard.models import Instance, Place, Progress, Workflow
from dashboard.models.instance import InstanceQuerySet
from dashboard.sync.known import PER_PAGE
from dashboard.sync.pages import Clock, written_pages
from dashboard.sync.reading import read_instance

#: Below so many on one page of the whole list, reading each by itself says more and costs the same.
TOGETHER = 2
#: The errored list is read back to where only one unfinished instance in so many is older.
OLDEST_PART = 20
UNKNOWN_FOR = timedelta(minutes=10)


def pass_over(
    client: Client,
    workflow: Workflow,
    progress: Progress,
    status: Status,
    *,
    limit: int,
    clock: Clock,
) -> bool:
    """Copies the instances in this status, at most `limit` pages from where the last one stood.
    True when the whole list was passed; the rows that it did not show are `left` then.

    A limit of 0 is the whole pass over a status that Cloudflare has just counted as empty. Raises
    CloudflareError. A target that does not know the status has none.
    """
    if not limit:
        counted_at = workflow.counted_at or clock()
        progress.places.pop(status.value, None)
        progress.passed[status.value] = counted_at.timestamp()
        return True
    place = _place(progress, status, clock)
    with suppress(Invalid, Unsupported):
        listed = written_pages(client, workflow, place, clock=clock, status=status)
        for pages, written in enumerate(listed, start=1):
            if written.after is None:
                break
            _keep(progress, status, written.after)
            if pages >= limit:
                return False
    progress.places.pop(status.value, None)
    progress.passed[status.value] = place.began_at.timestamp()
    return True


def read_errored(client: Client, workflow: Workflow, *, clock: Clock) -> bool:
    """The newest page of the errored list; True when there is no other."""
    place = Place(clock())
    pages = written_pages(client, workflow, place, clock=clock, status=Status.ERRORED)
    written = next(pages, None)
    return written is None or written.after is None


def read_errored_deep(
    client: Client, workflow: Workflow, progress: Progress, *, limit: int, clock: Clock
) -> bool:
    """The errored list, at most `limit` pages from where the last one stood; True at its end.

    What errs now was unfinished before; so once the whole list was read, it ends behind nearly all
    unfinished ones. The few older ones are read one by one, as they leave their lists.
    """
    is_first = "deep-errored" not in progress.done
    end = None if is_first else _oldest_unfinished(workflow)
    place = _place(progress, Status.ERRORED, clock)
    earlier = progress.deep_pages if place.cursor else 0
    listed = written_pages(client, workflow, place, clock=clock, status=Status.ERRORED)
    for pages, written in enumerate(listed, start=1):
        progress.deep_pages = earlier + pages
        if written.after is None or (end and written.oldest and written.oldest < end):
            break
        _keep(progress, Status.ERRORED, written.after)
        if pages >= limit:
            return False
    progress.places.pop(Status.ERRORED.value, None)
    return True


def left_rows(workflow: Workflow, progress: Progress, now: datetime) -> InstanceQuerySet:
    """Rows whose status's list no longer shows them: they ended, or moved on, or expired. A status
    that we do not know has no list to ask for; there a while without news is taken for it."""
    is_unknown = ~Q(status__in=UNFINISHED | FINISHED)
    conditions = is_unknown & Q(seen_at__lt=now - UNKNOWN_FOR)
    for status in UNFINISHED:
        if passed := progress.passed.get(status.value):
            unseen = Q(seen_at__lt=datetime.fromtimestamp(passed, UTC))
            conditions |= Q(status=status) & unseen
        kept = progress.places.get(status.value)
        if kept and (place := Place.of(kept)).until:
            newer = Q(created_on__gt=place.until, seen_at__lt=place.began_at)
            conditions |= Q(status=status) & newer
    return workflow.instances.filter(conditions, expired_at=None)


def settle_left(
    client: Client, workflow: Workflow, progress: Progress, *, limit: int, clock: Clock
) -> int:
    """Finds out what became of rows that left their lists, with at most `limit` requests: a page of
    the whole list where several lie together, else each by itself. Returns how many were settled.
    """
    settled = requests = 0
    while requests < limit:
        left = left_rows(workflow, progress, clock()).with_workflow().newest_first()
        first = left.first()
        if first is None:
            break
        around = workflow.instances.filter(created_on__lte=first.created_on).newest_first()
        oldest = around.values_list("created_on", flat=True)[PER_PAGE - 1 : PER_PAGE].first()
        together = list(left.filter(created_on__gte=oldest) if oldest else left)[:PER_PAGE]
        before = left.count()
        if len(together) > TOGETHER and client.target.has_list_times:
            _read_around(client, workflow, first.created_on, clock)
            requests += 1
            together = list(left.filter(pk__in=[row.pk for row in together]))
        wanted = together[: limit - requests]
        read_each(client, wanted, clock=clock)
        requests += len(wanted)
        now_left = left.count()
        settled += before - now_left
        if now_left >= before:
            break  # Too young to be called expired: Cloudflare may not find it yet.
    return settled


def read_details(client: Client, rows: list[Instance], *, clock: Clock) -> None:
    """Reads what lists do not hold. An error is what somebody waits to see."""
    errored = [row for row in rows if row.status == Status.ERRORED]
    read_each(client.in_lane(Lane.WATCHED), errored, clock=clock)
    read_each(client, [row for row in rows if row.status != Status.ERRORED], clock=clock)


def read_each(client: Client, instances: list[Instance], *, clock: Clock) -> None:
    """Reads the detail of each; one that is gone is marked so, and the others go on."""
    for instance in instances:
        try:
            read_instance(client, instance.workflow, instance.instance_id, now=clock())
        except NotFound as error:
            if error.what == "workflow":
                raise


def _read_around(client: Client, workflow: Workflow, newest: datetime, clock: Clock) -> None:
    place = Place(clock(), until=newest + timedelta(microseconds=1))
    next(written_pages(client, workflow, place, clock=clock), None)


def _place(progress: Progress, status: Status, clock: Clock) -> Place:
    kept = progress.places.get(status.value)
    return Place.of(kept) if kept else Place(clock())


def _keep(progress: Progress, status: Status, place: Place) -> None:
    """At once, so that a pass goes on at its page whatever interrupts it."""
    progress.places[status.value] = place.kept()
    progress.save(update_fields=["places"])


def _oldest_unfinished(workflow: Workflow) -> datetime | None:
    rows = workflow.instances.unfinished().order_by("created_on")
    skipped = rows.count() // OLDEST_PART
    return rows.values_list("created_on", flat=True)[skipped : skipped + 1].first()
