"""A person says that they see to an incident: it is told of again only when it resolves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from dashboard.alerts import telling
from dashboard.models import AlertEvent, AlertIncident, User


def acknowledge(pk: int, user: User, note: str, *, now: datetime) -> bool:
    """Writes down who does, and what they say; again, to say something else. False when the
    incident is resolved."""
    with transaction.atomic():
        incident = AlertIncident.objects.select_for_update().get(pk=pk)
        if incident.resolved_at is not None:
            return False
        telling.change(incident, acknowledged_at=now, acknowledged_by=user, note=note)
        kind = AlertEvent.Kind.ACKNOWLEDGED
        telling.add_event(incident, kind, note or "No note.", now=now, by=user)
        return True
