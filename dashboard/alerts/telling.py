"""Who is told of an incident: its events become deliveries, one for each channel, in the same
transaction as the event itself; or later, when a silence ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from dashboard.models import AlertEvent, AlertIncident, Delivery, Silence, User

Kind = AlertEvent.Kind


def add_event(
    incident: AlertIncident, kind: Kind, sentence: str, *, now: datetime, by: User | None = None
) -> AlertEvent:
    """Writes down what happened to the incident. Within a transaction that has locked it."""
    last = incident.events.aggregate(Max("number"))["number__max"] or 0
    return AlertEvent.objects.create(
        incident=incident,
        number=last + 1,
        kind=kind,
        happened_at=now,
        sentence=sentence,
        figures=incident.figures,
        by=by,
    )


def silence_of(
    incident: AlertIncident, silences: Sequence[Silence], now: datetime
) -> Silence | None:
    """The silence that covers the incident now, of several the one that ends last."""
    holding = [one for one in silences if one.covers(incident) and one.until(now)]
    return max(holding, key=lambda one: one.until(now) or now, default=None)


def tell(incident: AlertIncident, silences: Sequence[Silence], now: datetime) -> bool:
    """Puts what nobody was told of the incident yet on its way: its beginning, or its end.

    Within a transaction that has locked it. An incident that resolved before anybody could be told
    is not told at all.
    """
    is_end = incident.resolved_at is not None
    if is_end and (incident.told_at is None or incident.resolution_told_at is not None):
        return False
    if not is_end and incident.told_at is not None:
        return False
    event = incident.events.filter(kind=Kind.RESOLVED if is_end else Kind.OPENED).last()
    if event is None or not _deliver(event, silences, now):
        return False
    field = "resolution_told_at" if is_end else "told_at"
    change(incident, **{field: now, "told_value": incident.value})
    return True


def tell_update(
    incident: AlertIncident, sentence: str, silences: Sequence[Silence], now: datetime
) -> None:
    """Writes down that the incident goes on, and tells it. Within a transaction that has locked
    it."""
    event = add_event(incident, Kind.UPDATED, sentence, now=now)
    if _deliver(event, silences, now):
        change(incident, told_value=incident.value)


def tell_due(now: datetime) -> None:
    """Tells of each incident that was silenced, or had no channel, and now can be told."""
    waiting = list(AlertIncident.objects.to_tell().order_by("opened_at"))
    silences = list(Silence.objects.begun(now)) if waiting else []
    for found in waiting:
        if silence_of(found, silences, now):
            continue
        with transaction.atomic():
            tell(AlertIncident.objects.select_for_update().get(pk=found.pk), silences, now)


def change(incident: AlertIncident, **facts: Any) -> None:
    """Writes these facts of the incident, and no others."""
    for name, value in facts.items():
        setattr(incident, name, value)
    incident.save(update_fields=list(facts))


def _deliver(event: AlertEvent, silences: Sequence[Silence], now: datetime) -> bool:
    """Makes the deliveries of the event; False when nobody may be told, or there is nobody."""
    if silence_of(event.incident, silences, now):
        return False
    channels = list(event.incident.rule.channels.present())
    rows = [Delivery(event=event, channel=one, created_at=now, next_at=now) for one in channels]
    Delivery.objects.bulk_create(rows)
    return bool(rows)
