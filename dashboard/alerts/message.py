"""What is sent of an incident: a title, a text, and the same as JSON for a webhook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dashboard.alerts import links
from dashboard.models import AlertEvent, Delivery
from dashboard.models.storing import storable, word

LONGEST_TITLE = 200
LONGEST_TEXT = 2_000


@dataclass(frozen=True)
class Message:
    """`mood`: failure, warning, success or info. `key` stands for the incident, the same in all its
    messages; `id` for this very message, so that a receiver can tell one from another."""

    title: str
    text: str
    mood: str
    key: str
    id: str
    facts: dict[str, Any] = field(default_factory=dict)


MOODS = {
    AlertEvent.Kind.OPENED: "failure",
    AlertEvent.Kind.UPDATED: "warning",
    AlertEvent.Kind.RESOLVED: "success",
}


def of_delivery(delivery: Delivery) -> Message:
    """The message of an event of an incident."""
    event, incident = delivery.event, delivery.event.incident
    kind = AlertEvent.Kind(event.kind)
    page, since = links.incident_url(incident), links.since_url(incident)
    lines = [
        event.sentence,
        f"Rule: {incident.rule.name}. Since {incident.opened_at:%Y-%m-%d %H:%M:%S} UTC.",
        f"Incident: {page}",
        f"What changed since: {since}",
    ]
    facts = {
        "event": kind.value,
        "incident": incident.pk,
        "number": event.number,
        "rule": incident.rule.name,
        "kind": incident.rule.kind,
        "subject": incident.subject,
        "workflow": incident.workflow.name if incident.workflow else None,
        "account": incident.workflow.account.account_id if incident.workflow else None,
        "sentence": event.sentence,
        "figures": event.figures,
        "happened_at": event.happened_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "resolved_at": incident.resolved_at.isoformat() if incident.resolved_at else None,
        "url": page,
        "since_url": since,
    }
    return Message(
        title=word(f"{kind.label}: {incident.rule.name}, {incident.subject}")[:LONGEST_TITLE],
        text=storable("\n".join(lines))[:LONGEST_TEXT],
        mood=MOODS[kind],
        key=f"workflows-dashboard-incident-{incident.pk}",
        id=f"workflows-dashboard-delivery-{delivery.pk}",
        facts=facts,
    )


def of_test(channel: str, by: str, id: str) -> Message:
    """The message of a channel's test button."""
    return Message(
        title="Test of an alert channel",
        text=word(
            f"{by} tests the channel “{channel}” of the workflows dashboard. Nothing is wrong."
        ),
        mood="info",
        key=id,
        id=id,
        facts={"event": "test"},
    )
