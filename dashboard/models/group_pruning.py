"""Forgetting in which hours failures happened, in pieces so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from dashboard.models.error_group import ErrorGroupHour

PIECE = 500


def prune_group_hours(*, before: datetime, is_time_up: Callable[[], bool]) -> int:
    """Deletes hours that began before, until none is left or the time is up. Returns how many. The
    groups stay, with how many failures there were in all, and what people said."""
    old = ErrorGroupHour.objects.filter(begins_on__lt=before).order_by("begins_on")
    deleted = 0
    while not is_time_up() and (piece := [*old.values_list("pk", flat=True)[:PIECE]]):
        deleted += ErrorGroupHour.objects.filter(pk__in=piece).delete()[0]
    return deleted
