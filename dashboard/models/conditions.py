"""Names for what somebody may look for: each a condition on rows, told at a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from dashboard.cloudflare.types import Status
from dashboard.models.late import STUCK
from dashboard.models.snapshot import Snapshot

FORGOTTEN_AFTER = timedelta(hours=24)


def _stuck(_now: datetime) -> Q:
    return STUCK


def _waiting_for_event(_now: datetime) -> Q:
    # Told twice: SQLite uses the index of rows with a phase only where the query says so too.
    return Q(phase="waiting-for-event", expired_at=None) & ~Q(phase="")


def _forgotten(now: datetime) -> Q:
    limit = now - FORGOTTEN_AFTER
    is_long_ago = Q(modified_on__lt=limit) | Q(modified_on=None, status_seen_at__lt=limit)
    return is_long_ago & Q(status=Status.PAUSED, expired_at=None)


def _kept(_now: datetime) -> Q:
    snapshots = Snapshot.objects.filter(
        workflow=OuterRef("workflow"), instance_id=OuterRef("instance_id")
    )
    return Q(Exists(snapshots))


CONDITIONS: dict[str, Callable[[datetime], Q]] = {
    "stuck": _stuck,
    "waiting-for-event": _waiting_for_event,
    "forgotten": _forgotten,
    "kept": _kept,
}
