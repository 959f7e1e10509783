"""Leases: columns that say until when one caller alone does something; None where anybody may.

An economy, not a lock: what is done twice at once does no harm.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q


def take(row: models.Model, lease: str, *, now: datetime, duration: timedelta) -> bool:
    """True when this caller may do the lease's work until `now + duration`.

    A conditional update, so that of two callers at once one gets it.
    """
    is_free = Q((lease, None)) | Q((f"{lease}__lte", now))
    rows = type(row)._default_manager.filter(is_free, pk=row.pk)
    return rows.update(**{lease: now + duration}) == 1


def end(row: models.Model, lease: str, *, until: datetime) -> None:
    """Lets others in, unless somebody has the lease for longer than `until`."""
    held = type(row)._default_manager.filter(Q((f"{lease}__lte", until)), pk=row.pk)
    held.update(**{lease: None})
