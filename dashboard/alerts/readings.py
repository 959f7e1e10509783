"""Figures that nothing else remembers, noted once a minute, so that rules can look back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from dashboard.alerts import stored
from dashboard.alerts.history import budget_of, sync_of
from dashboard.models import Account, AlertReading
from dashboard.models.alert_reading import HEARTBEAT

#: A backtest looks at the last 30 days.
KEPT = timedelta(days=35)
MINUTE = timedelta(minutes=1)


def note_readings(
    accounts: Iterable[str], budgets: Iterable[tuple[str, float]], now: datetime
) -> None:
    """Notes how these accounts (by id) stand, and what is left of budgets (names, percent)."""
    values = {
        sync_of(account.pk): float((now - (account.synced_at or account.created_at)) // MINUTE)
        for account in Account.objects.filter(account_id__in=list(accounts))
    }
    values |= {budget_of(names): float(round(left)) for names, left in budgets}
    figures = {subject: known.value for subject, known in stored.looked_up(now).items()}
    before = AlertReading.objects.filter(stored.LOOKED_UP, at__gte=now - 2 * HEARTBEAT)
    none = dict.fromkeys(before.values_list("subject", flat=True).distinct(), 0.0)
    AlertReading.note(values | none | figures, at=now)


def forget_readings(now: datetime) -> None:
    """Forgets those that are too old for any backtest."""
    AlertReading.objects.filter(at__lt=now - KEPT).delete()
