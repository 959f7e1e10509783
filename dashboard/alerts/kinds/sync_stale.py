from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History, sync_of
from dashboard.alerts.kinds.base import Firing, Kind, Store, minutes, whole


@dataclass(frozen=True)
class SyncStale(Kind):
    """What the dashboard shows of an account is old."""

    NAME = "sync-stale"
    TITLE = _("Sync stale")
    SAYS = _("An account has not been synced for a while, so nothing else of it can be alerted of.")
    STORE = Store.READINGS
    OF_WORKFLOW, NEEDS_WORKFLOW = False, False

    window: int = whole(_("For so many minutes"), 5, least=1, most=1440)

    @property
    def reach(self) -> timedelta:
        return timedelta(0)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, name in history.accounts.items():
            age = int(history.reading_at(sync_of(pk), at) or 0)
            if age >= self.window:
                sentence = f"The sync of {name} has not come through for {minutes(age)}."
                figures, began_at = {"minutes": age}, at - timedelta(minutes=age + 1)
                key = f"account:{pk}"
                found.append(Firing(key, name, sentence, age, figures=figures, began_at=began_at))
        return found
