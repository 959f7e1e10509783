from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from dashboard.alerts.history import History, version_in
from dashboard.alerts.kinds.base import Firing, Kind, Store


@dataclass(frozen=True)
class BadVersion(Kind):
    """The newest version of a workflow does worse than the one before.

    What is worse, and when a difference is no accident, `insight.version_watch` says: it is looked
    at again every few minutes, and nothing is left to be set here. The alert resolves when the
    difference is gone, or a newer version has been compared.
    """

    NAME = "bad-version"
    TITLE = _("Bad version")
    SAYS = _("A new version of a workflow fails more often, or is slower, than the one before it.")
    STORE = Store.READINGS
    OF_WORKFLOW, NEEDS_WORKFLOW = True, False

    @property
    def reach(self) -> timedelta:
        return timedelta(0)

    def evaluate(self, history: History, at: datetime) -> list[Firing]:
        seen = dict(history.seen(at))
        found = []
        for subject in history.readings:
            told = version_in(subject)
            worse = history.reading_at(subject, at)
            if told is None or told[0] not in seen or not worse:
                continue
            workflow, version_id = told
            more = history.words.get(subject, "")
            more = f": {more}" if more else f" in {worse:.0f} figure{'s' * (worse != 1)}"
            sentence = f"Version {version_id[:8]} does worse than the one before it{more}."
            name = seen[workflow].name
            found.append(
                Firing(
                    f"version:{workflow}:{version_id}",
                    f"{name}: {version_id[:8]}",
                    sentence,
                    worse,
                    workflow=workflow,
                    figures={"version": version_id, "worse": worse},
                    began_at=history.began_at.get(subject),
                )
            )
        return found
