"""Rules, channels and incidents for tests, and a history that is held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboard import alerts
from dashboard.alerts import judging
from dashboard.alerts.history import History, Place, Reading, sync_of
from dashboard.models import AlertChannel, AlertIncident, AlertRule, User
from tests.rows import THEN, account


def ada() -> User:
    return User.objects.get_or_create(username="ada", defaults={"role": "admin"})[0]


def channel(address: str = "json://127.0.0.1:9/x", name: str = "on call") -> AlertChannel:
    made = AlertChannel(name=name, service="JSON", changed_by=ada(), changed_at=THEN)
    made.address = address
    made.save()
    return made


def rule(kind: str = "sync-stale", *channels: AlertChannel, **facts: Any) -> AlertRule:
    terms = facts.pop("terms", {})
    named = {"name": f"my {kind}", "changed_by": ada(), "changed_at": THEN}
    made = AlertRule.objects.create(kind=kind, terms=terms, **(named | facts))
    made.channels.set(channels)
    return made


@dataclass
class Scene:
    """An account whose sync goes or does not, as a test says, minute by minute."""

    rule: AlertRule
    now: datetime = THEN
    age: float = 0.0
    readings: list[Reading] = field(default_factory=list)

    def history(self) -> History:
        """What is known now."""
        pk = account().pk
        return History(
            since=THEN,
            accounts={pk: "shop"},
            readings={sync_of(pk): [Reading(self.now, self.age)]},
        )

    def tick(self, minutes: float = 1.0, *, age: float | None = None) -> None:
        """Time goes on, and the rules are judged."""
        self.now += timedelta(minutes=minutes)
        self.age = self.age if age is None else age
        judging.judge(self.now, lambda *_: self.history())

    def deliver(self, send: Any = None) -> None:
        """Whatever is due is sent, as workers do."""
        for pk in alerts.due(self.now):
            alerts.deliver(pk, clock=lambda: self.now, send=send)

    def incidents(self) -> list[AlertIncident]:
        return list(AlertIncident.objects.order_by("pk"))


def place(name: str = "orders") -> Place:
    return Place(name, account=1, first_seen_at=THEN - timedelta(days=90))
