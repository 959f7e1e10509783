from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind, Store, instances, whole


@dataclass(frozen=True)
class NewGroup(Kind):
    """An error that was never seen before. Of none it is said while it may be older than it seems,
    for failures from before the workflow was watched are still to be read."""

    NAME = "new-group"
    TITLE = _("New error group")
    SAYS = _("A workflow fails with an error that was never seen before.")
    STORE = Store.GROUPS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    at_least: int = whole(
        _("In at least so many instances"),
        1,
        least=1,
        most=1_000_000,
        help=_("Tried on history, it counts whole hours."),
    )
    window: int = whole(
        _("It counts as new for so many minutes"),
        60,
        least=5,
        most=1440,
        help=_("The alert resolves when they are over."),
    )

    @property
    def reach(self) -> timedelta:
        return timedelta(minutes=self.window)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        found = []
        for group in history.groups_between(at - self.reach, at):
            place = history.workflows.get(group.workflow)
            count = group.count_at(at)
            if place is None or count < self.at_least or group.may_be_older:
                continue
            sentence = f"New error in {place.name}, {instances(count)} so far: {group.title}"
            figures = {"group": group.pk, "instances": count}
            found.append(
                Firing(
                    f"group:{group.pk}",
                    f"{place.name}: {group.title}",
                    sentence,
                    count,
                    workflow=group.workflow,
                    figures=figures,
                    began_at=group.first_seen_on,
                )
            )
        return found
