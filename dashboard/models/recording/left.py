"""What lists no longer show where they should."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from dashboard.models.bulk_sql import AT_ONCE
from dashboard.models.instance import Instance
from dashboard.models.workflow import Workflow


def mark_left(
    workflow: Workflow,
    statuses: Collection[str],
    *,
    shown: Collection[str],
    asked_at: datetime,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Marks instances that a list which was asked for at `asked_at` should have shown and did not.

    These are held in one of the statuses, and were so before it was asked for; they were created
    after `since` and not after `until`; and their ids are not among the `shown`. Returns how many.
    """
    held = workflow.instances.filter(
        status__in=statuses, status_seen_at__lt=asked_at, expired_at=None, left_at=None
    )
    if since:
        held = held.filter(created_on__gt=since)
    if until:
        held = held.filter(created_on__lte=until)
    ids = held.values_list("pk", "instance_id").iterator()
    left = [pk for pk, instance_id in ids if instance_id not in shown]
    marked = 0
    for start in range(0, len(left), AT_ONCE):
        # Asked again, for it may have been seen in between; as in `mark_as_seen` nobody waits.
        some = held.select_for_update(skip_locked=True).filter(pk__in=left[start : start + AT_ONCE])
        with transaction.atomic():
            rows = Instance.objects.filter(pk__in=some.values("pk"))
            marked += rows.update(left_at=now)
    return marked


def mark_silent(
    workflow: Workflow, statuses: Collection[str], *, before: datetime, now: datetime
) -> None:
    """Marks as left the instances in these statuses of which Cloudflare last spoke before then."""
    silent = workflow.instances.filter(
        status__in=statuses, seen_at__lt=before, expired_at=None, left_at=None
    )
    silent.update(left_at=now)
