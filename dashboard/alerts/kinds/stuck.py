from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History, stuck_of
from dashboard.alerts.kinds.base import Firing, Kind, Store, instances, of_workflow, whole, words


@dataclass(frozen=True)
class Stuck(Kind):
    """Instances that are later than is normal for where they stand.

    What is normal `insight.overdue` says: of a step half as long again as 99 of 100 took, and
    always a minute more, so that one that is late is worth an alert; whoever knows better asks for
    more.
    """

    NAME = "stuck"
    TITLE = _("Stuck instances")
    SAYS = _("Instances take longer in a step than is normal for it.")
    STORE = Store.READINGS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    at_least: int = whole(_("At least so many instances"), 1, least=1, most=1_000_000)
    step: str = words(
        _("In the step"),
        longest=300,
        help=_("As the workflow's code names it; any step when left out."),
    )

    @property
    def reach(self) -> timedelta:
        return timedelta(0)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for pk, place in history.seen(at):
            steps = self._steps(history, pk, at)
            stuck = sum(steps.values())
            if stuck < self.at_least:
                continue
            worst, number = steps.most_common(1)[0]
            where = f", {number:,} of them in “{worst}”" if worst else ""
            sentence = f"{instances(stuck)} later than normal{where}."
            figures = {"stuck": stuck, "steps": dict(steps.most_common(10))}
            found.append(
                Firing(
                    of_workflow(pk),
                    place.name,
                    sentence,
                    stuck,
                    workflow=pk,
                    figures=figures,
                    began_at=self._began_at(history, pk, steps),
                )
            )
        return found

    def _began_at(self, history: History, workflow: int, steps: Counter[str]) -> datetime | None:
        """When the first of them was late."""
        told = (history.began_at.get(stuck_of(workflow, step)) for step in steps)
        return min(filter(None, told), default=None)

    def _steps(self, history: History, workflow: int, at: datetime) -> Counter[str]:
        """How many are stuck in each step."""
        before = f"stuck:{workflow}:"
        counts: Counter[str] = Counter()
        for subject in history.readings:
            step = subject.removeprefix(before)
            if step == subject or (self.step and step != self.step):
                continue
            counts[step] = int(history.reading_at(subject, at) or 0)
        return +counts
