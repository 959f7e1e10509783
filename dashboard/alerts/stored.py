"""The history that rules are judged by, read from the database.

The one place that knows its tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from dashboard.alerts.backtest import span
from dashboard.alerts.history import History, Place, Reading
from dashboard.alerts.kinds import Kind, Store, kind_of
from dashboard.models import Account, AlertReading, AlertRule, Workflow
from dashboard.models.alert_reading import HEARTBEAT


def recent(rule: AlertRule, now: datetime) -> History:
    """As far back as the rule looks, and no further."""
    kind = kind_of(rule.kind, rule.terms)
    return read(kind, rule.workflow, now - kind.reach)


def long(kind: Kind, workflow: Workflow | None, now: datetime) -> History:
    """As far back as a backtest looks."""
    workflows = 1 if workflow else Workflow.objects.present().count()
    return read(kind, workflow, now - span(workflows) - kind.reach)


def read(kind: Kind, workflow: Workflow | None, since: datetime) -> History:
    """What is held since then of the store that the kind needs, of one workflow or of all.

    A workflow that was deleted and made again under its name is watched again.
    """
    accounts = dict(Account.objects.values_list("pk", "name"))
    rows = Workflow.objects.present().only("name", "account_id", "first_seen_at")
    if workflow is not None:
        rows = rows.filter(account=workflow.account_id, name=workflow.name)
    places = {row.pk: Place(row.name, row.account_id, row.first_seen_at) for row in rows}
    history = History(
        accounts=accounts,
        workflows=places if kind.OF_WORKFLOW else {},
        readings=_readings(since),
    )
    if kind.STORE is Store.READINGS:
        return replace(history, since=_readings_since())
    return history


def stuck_now(now: datetime) -> dict[str, float]:
    """Subject of a reading -> how many instances of a workflow are stuck in a step now."""
    return {}


def _readings(since: datetime) -> dict[str, list[Reading]]:
    """By subject, with what held at the beginning."""
    found: dict[str, list[Reading]] = defaultdict(list)
    rows = AlertReading.objects.filter(at__gte=since - 2 * HEARTBEAT).order_by("at")
    for subject, at, value in rows.values_list("subject", "at", "value"):
        found[subject].append(Reading(at, value))
    return dict(found)


def _readings_since() -> datetime | None:
    first: datetime | None = (
        AlertReading.objects.order_by("at").values_list("at", flat=True).first()
    )
    return first
