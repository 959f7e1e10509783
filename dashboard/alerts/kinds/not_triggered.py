from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind, Store, minutes, of_workflow, whole


@dataclass(frozen=True)
class NotTriggered(Kind):
    """A workflow that should run, and does not."""

    NAME = "not-triggered"
    TITLE = _("Nothing triggered")
    SAYS = _("No instance of a workflow that should run has been created for a while.")
    STORE = Store.PERIODS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, True

    window: int = whole(_("For so many minutes"), 60, least=10, most=10_080)

    @property
    def reach(self) -> timedelta:
        # A period tells that something was created in it, and not when.
        return timedelta(minutes=self.window)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, place in history.seen(at):
            begins_at = at - self.reach
            if not history.holds(begins_at) or place.first_seen_at > begins_at:
                continue
            if any(period.created for period in history.periods_of(pk, begins_at, at)):
                continue
            sentence = f"Nothing was triggered for {minutes(self.window)}."
            found.append(
                Firing(
                    of_workflow(pk),
                    place.name,
                    sentence,
                    self.window,
                    workflow=pk,
                    figures={"minutes": self.window},
                    began_at=begins_at,
                )
            )
        return found
