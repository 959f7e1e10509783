"""Rules held against what is known: incidents open, go on, and resolve.

Nothing depends on who judges or how often that is cut off: each change is one transaction, and of
two that judge at once the database lets one open an incident.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from dashboard.alerts import course, stored, telling
from dashboard.alerts.history import History
from dashboard.alerts.kinds import Firing, kind_of
from dashboard.models import (
    AlertEvent,
    AlertIncident,
    AlertRule,
    DeliveryState,
    Silence,
    leases,
)
from dashboard.models.storing import storable_facts

LEASE = timedelta(seconds=30)
#: How exactly is known when an open incident was last seen so.
NOTE_EVERY = timedelta(seconds=30)

Kind = AlertEvent.Kind
Read = Callable[[AlertRule, datetime], History]


def judge(now: datetime, read: Read | None = None) -> None:
    """Judges each rule that is switched on, unless somebody else does so at this moment, and tells
    what could not be told before. `read` gives what is known, for as far as the rule looks back."""
    for rule in AlertRule.objects.switched_on().select_related("workflow"):
        if leases.take(rule, "leased_until", now=now, duration=LEASE):
            judge_rule(rule, (read or stored.recent)(rule, now), now)
            AlertRule.objects.filter(pk=rule.pk).update(judged_at=now, leased_until=None)
    _end_orphans(now)
    telling.tell_due(now)


def judge_rule(rule: AlertRule, history: History, now: datetime) -> None:
    """Opens, goes on with, and resolves the incidents of one rule."""
    found = kind_of(rule.kind, rule.terms).evaluate(history, now)
    open_ = {incident.key: incident for incident in rule.incidents.unresolved()}
    firings = {firing.key: firing for firing in course.bounded(found, open_)}
    if not firings and not open_:
        return
    silences = list(Silence.objects.begun(now))
    for key, firing in firings.items():
        if key in open_:
            _go_on(open_[key], firing, silences, now)
        else:
            _open(rule, firing, silences, now)
    for key, incident in open_.items():
        is_judged = not history.is_blind(incident.workflow_id, now)
        if key not in firings and is_judged and course.is_over(incident.fired_at, now):
            _resolve(incident, "The condition is gone.", silences, now)


def _open(rule: AlertRule, firing: Firing, silences: list[Silence], now: datetime) -> None:
    facts = _facts(firing) | {"key": firing.key, "workflow_id": firing.workflow}
    began_at = min(firing.began_at or now, now)
    facts = {"rule": rule, "opened_at": now, "began_at": began_at, "fired_at": now, **facts}
    try:
        with transaction.atomic():
            incident = AlertIncident.objects.create(**facts)
            telling.add_event(incident, Kind.OPENED, incident.sentence, now=now)
            telling.tell(incident, silences, now)
    except IntegrityError:
        return  # Somebody else has opened it in this moment, or its workflow is gone.


def _go_on(incident: AlertIncident, firing: Firing, silences: list[Silence], now: datetime) -> None:
    """Notes that it is still so; at most now and then, unless it is told again."""
    facts = _facts(firing)
    is_told = _is_told_again(incident, firing, now)
    if not is_told and now - incident.fired_at < NOTE_EVERY:
        return
    with transaction.atomic():
        locked = AlertIncident.objects.select_for_update().get(pk=incident.pk)
        if locked.resolved_at is not None:
            return
        telling.change(locked, fired_at=now, **facts)
        if is_told and _is_told_again(locked, firing, now):
            telling.tell_update(locked, locked.sentence, silences, now)


def _is_told_again(incident: AlertIncident, firing: Firing, now: datetime) -> bool:
    """When it has become much worse, or nobody can say that the last message arrived."""
    if incident.told_at is None or incident.acknowledged_at is not None:
        return False
    last = incident.events.exclude(kind=Kind.ACKNOWLEDGED).last()
    if last is None or now - last.happened_at < course.UPDATE_EVERY:
        return False
    is_lost = last.deliveries.filter(Q(state=DeliveryState.UNKNOWN) | Q(state=DeliveryState.FAILED))
    is_worse = course.is_news(firing.value, incident.told_value, last.happened_at, now)
    return is_worse or is_lost.exists()


def _resolve(
    incident: AlertIncident, sentence: str, silences: list[Silence], now: datetime
) -> None:
    with transaction.atomic():
        locked = AlertIncident.objects.select_for_update().get(pk=incident.pk)
        if locked.resolved_at is not None:
            return
        telling.change(locked, resolved_at=now)
        telling.add_event(locked, Kind.RESOLVED, sentence, now=now)
        telling.tell(locked, silences, now)


def _end_orphans(now: datetime) -> None:
    """Resolves what belongs to rules that nobody judges any more."""
    left = Q(rule__is_on=False) | Q(rule__removed_at__isnull=False)
    for incident in AlertIncident.objects.unresolved().filter(left):
        words = "Its rule was switched off or removed; whether the condition is gone is not known."
        _resolve(incident, words, list(Silence.objects.begun(now)), now)


def _facts(firing: Firing) -> dict[str, Any]:
    told = {
        "subject": firing.subject,
        "sentence": firing.sentence,
        "figures": dict(firing.figures),
        "value": firing.value,
    }
    return storable_facts(AlertIncident, told)
