from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind, Store, whole


@dataclass(frozen=True)
class BudgetLow(Kind):
    """Cloudflare will soon answer nothing more."""

    NAME = "budget-low"
    TITLE = _("Request budget low")
    SAYS = _("Little is left of what Cloudflare's API lets us ask within five minutes.")
    STORE = Store.READINGS
    OF_WORKFLOW, NEEDS_WORKFLOW = False, False

    left: int = whole(_("Less is left than this, in percent"), 10, least=1, most=90)

    @property
    def reach(self) -> timedelta:
        return timedelta(0)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for subject in history.readings:
            names = subject.removeprefix("budget:")
            left = history.reading_at(subject, at)
            if names == subject or left is None or left >= self.left:
                continue
            sentence = f"{left:.0f} % of the request budget of {names} are left."
            found.append(
                Firing(subject[:200], names[:200], sentence, 100 - left, figures={"left": left})
            )
        return found
