"""Which rows are late, written as the conditions of their indexes, so that both databases find them
there."""

from __future__ import annotations

from django.db.models import F, Q

#: It was read after it should have gone on, and had not.
STUCK = Q(expected_by__lt=F("read_at"), expired_at=None)
#: It should have gone on since, or should yet, as far as it was read.
UNCONFIRMED = Q(expected_by__gte=F("read_at"), expired_at=None)
