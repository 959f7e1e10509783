"""Failures from before: those whose details were read before failures were grouped, counted in
pieces so small that nobody waits for them; and of which workflows some are not counted yet."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from dashboard.cloudflare.types import Status
from dashboard.models import tallies
from dashboard.models.error_group import UngroupedPast
from dashboard.models.instance import ERRORED_UNREAD, Instance, InstanceDetail
from dashboard.models.progress import Gap, Progress
from dashboard.models.recording.failures import count_failure
from dashboard.models.workflow import Workflow

#: Keys that are looked through at once, few of them of failures.
PIECE = 2_000


def group_past(*, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Puts them into their groups, the newest first, until none is left or the time is up. Returns
    how many. What was forgotten of them by then is told by nobody."""
    grouped = 0
    while not is_time_up() and (number := _group_piece(now)) is not None:
        grouped += number
    return grouped


def _group_piece(now: datetime) -> int | None:
    """How many it grouped; None when none is left."""
    with transaction.atomic():
        past = UngroupedPast.objects.select_for_update().first()
        if past is None:
            return None
        begin, grouped = max(0, past.last_pk - PIECE), 0
        rows = Instance.objects.select_for_update().filter(
            pk__gt=begin, pk__lte=past.last_pk, status=Status.ERRORED, error_group=None
        )
        failed = {row.pk: row for row in rows.order_by("-pk")}
        for kept in InstanceDetail.objects.filter(pk__in=failed).order_by("-pk"):
            row = failed[kept.pk]
            if kept.generation == row.generation:
                count_failure(row, kept.parse(), now)
                row.save(update_fields=["error_group"])
                grouped += row.error_group_id is not None
        past.last_pk = begin
        if begin:
            past.save(update_fields=["last_pk"])
        else:
            past.delete()
        return grouped


def with_unread_past(workflows: Collection[int]) -> set[int]:
    """Those of these workflows that may have failed, before they were first seen here, in ways that
    are in no group yet: their failures were not listed, or not read. What is first seen in them may
    be old."""
    if UngroupedPast.objects.exists():
        return {*workflows}
    return _unlisted(workflows) | _unread(workflows)


def _unlisted(workflows: Collection[int]) -> set[int]:
    """Those whose older pages were never read, while Cloudflare counts more failures than are held;
    where it tells no counts, all whose older pages were not."""
    gaps = Gap.objects.filter(workflow__in=workflows, is_history=True)
    rows = Workflow.objects.filter(pk__in=gaps.values("workflow")).values_list("pk", "counts")
    counts = dict(rows)
    held = tallies.live_counts(counts)
    surplus = dict(Progress.objects.filter(pk__in=counts).values_list("pk", "errored_surplus"))
    return {
        pk
        for pk, told in counts.items()
        if told is None
        or told.get(Status.ERRORED, 0) + surplus.get(pk, 0) > held[pk][Status.ERRORED]
    }


def _unread(workflows: Collection[int]) -> set[int]:
    rows = Instance.objects.filter(ERRORED_UNREAD, workflow__in=workflows)
    old = Q(ended_on__lt=F("workflow__first_seen_at")) | Q(ended_on=None)
    rows = rows.filter(old, created_on__lt=F("workflow__first_seen_at"))
    return {*rows.order_by().values_list("workflow", flat=True).distinct()}
