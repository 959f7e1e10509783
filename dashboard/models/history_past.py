"""Counting the instances that were held before history was kept, in pieces so small that nobody
waits for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from dashboard.models.happened import Happened
from dashboard.models.history import UncountedPast
from dashboard.models.instance import Instance

PIECE = 500


def count_past(*, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Counts them, the newest first, until none is left or the time is up. Returns how many.

    Of each only what its row still tells: its last end, and not those before a restart. What ended
    since history began is counted already.
    """
    counted = 0
    while not is_time_up() and (number := _count_piece(now)) is not None:
        counted += number
    return counted


def _count_piece(now: datetime) -> int | None:
    """How many it counted; None when none is left."""
    with transaction.atomic():
        past = UncountedPast.objects.select_for_update().first()
        if past is None:
            return None
        rows = Instance.objects.select_for_update().filter(pk__lte=past.last_pk).order_by("-pk")
        happened, number = Happened(now), 0
        for row in rows[:PIECE]:
            happened.added(row, is_end_new=row.status_seen_at < past.began_at)
            past.last_pk, number = row.pk - 1, number + 1
        happened.add()
        if number:
            past.save(update_fields=["last_pk"])
        else:
            past.delete()
        return number
