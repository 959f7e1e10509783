from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind, Store, instances, minutes, of_workflow, whole


@dataclass(frozen=True)
class QueueGrowing(Kind):
    """More is queued than is taken up."""

    NAME = "queue-growing"
    TITLE = _("Queue growing")
    SAYS = _("More instances of a workflow are queued than before, and they do not become fewer.")
    STORE = Store.COUNTS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    by: int = whole(_("Longer by at least so many"), 100, least=1, most=10_000_000)
    window: int = whole(_("Than so many minutes before"), 30, least=5, most=1440)

    @property
    def reach(self) -> timedelta:
        return timedelta(minutes=self.window)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, place in history.seen(at):
            now = self._queued(history, pk, at)
            before = self._queued(history, pk, at - self.reach)
            halfway = self._queued(history, pk, at - self.reach / 2)
            if now is None or before is None or halfway is None:
                continue
            if now - before < self.by or now < halfway:
                continue
            more = f"{now - before:,} more than {minutes(self.window)} before"
            sentence = f"{instances(now)} queued, {more}."
            figures = {"queued": now, "before": before, "minutes": self.window}
            found.append(
                Firing(
                    of_workflow(pk),
                    place.name,
                    sentence,
                    now,
                    workflow=pk,
                    figures=figures,
                    began_at=at - self.reach,
                )
            )
        return found

    def _queued(self, history: History, workflow: int, at: datetime) -> int | None:
        counts = history.counts_at(workflow, at)
        return None if counts is None else counts.by_status.get("queued", 0)
