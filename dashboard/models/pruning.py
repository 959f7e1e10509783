"""Forgetting what Cloudflare has long forgotten, in pieces so small that nobody waits for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from dashboard.cloudflare.types import FINISHED
from dashboard.models import tallies
from dashboard.models.instance import Instance
from dashboard.models.item import Item
from dashboard.models.tallies import Moves

#: Cloudflare keeps a finished instance for 30 days at most: until then a list may bring it back.
LONGEST_RETENTION = timedelta(days=31)
PIECE = 500


def prune(*, keep: timedelta, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Deletes instances that ended longer ago than `keep`, with all that is known of them, until
    none is left or the time is up. Returns how many. Operations are kept for good."""
    deleted = 0
    for status in sorted(FINISHED):
        # One status at a time: so each piece is found by the index that the list page has anyway.
        old = forgettable(keep=keep, now=now).filter(status=status)
        while not is_time_up():
            piece = list(old.order_by("created_on").values_list("pk", flat=True)[:PIECE])
            if not piece:
                break
            deleted += _forget(old.filter(pk__in=piece))
    return deleted


@transaction.atomic
def _forget(old: QuerySet[Instance]) -> int:
    """Asks again while deleting: one may have been restarted or acted on in between."""
    rows = list(old.select_for_update().only("workflow", "status", "expired_at").order_by("pk"))
    Instance.objects.filter(pk__in=[row.pk for row in rows]).delete()
    tallies.add(Moves({place: -n for place, n in Counter(map(tallies.place, rows)).items()}))
    return len(rows)


def forgettable(*, keep: timedelta, now: datetime) -> QuerySet[Instance]:
    """Finished instances that ended before, that Cloudflare no longer has, and that nobody acted on
    since: what people did stays beside what it was done to."""
    before = now - keep
    acted_on = Item.objects.filter(
        workflow=OuterRef("workflow"),
        instance_id=OuterRef("instance_id"),
        operation__requested_at__gte=before,
    )
    ended = Coalesce("ended_on", "modified_on", "created_on", output_field=DateTimeField())
    return (
        Instance.objects.filter(status__in=FINISHED, created_on__lt=before)
        .alias(ended=ended)
        .filter(ended__lt=before)
        .filter(~Q(expired_at=None) | Q(ended__lt=now - LONGEST_RETENTION))
        .filter(~Exists(acted_on))
    )
