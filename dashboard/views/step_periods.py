"""How the steps of a workflow went over a period that the reader chooses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.models import StepFeed, Workflow, step_figures
from dashboard.models.step_figures import StepFigures
from dashboard.models.step_folding import FOLDED_AFTER
from dashboard.views.recently import worked_out

#: The usual one when nothing is chosen.
USUAL = 7
DAYS = {
    1: gettext_noop("24 hours"),
    USUAL: gettext_noop("7 days"),
    31: gettext_noop("31 days"),
    365: gettext_noop("a year"),
}
MOST_SHOWN = 50


class Period:
    """The days that an address asks for; `error` is a sentence where there is no such choice."""

    def __init__(self, wanted: str) -> None:
        is_known = wanted in {"", *map(str, DAYS)}
        self.days = int(wanted) if wanted and is_known else USUAL
        self.word = _(DAYS[self.days])
        told = {"known": ", ".join(map(str, DAYS)), "period": self.word}
        wrong = _("days can be %(known)s; these are the steps of %(period)s.") % told
        self.error = "" if is_known else wrong

    @property
    def choices(self) -> list[tuple[int, str, bool]]:
        """Each as days, word, and whether it is chosen."""
        return [(days, _(word), days == self.days) for days, word in DAYS.items()]

    def since(self, now: datetime) -> datetime:
        """In whole hours, for these are summed up; in whole days where hours are folded by then."""
        since = (now - timedelta(days=self.days)).replace(minute=0, second=0, microsecond=0)
        return since if timedelta(days=self.days) < FOLDED_AFTER else since.replace(hour=0)


@dataclass
class WorkflowSteps:
    """Reads the database only when a page asks: the part of it that refreshes itself does not."""

    workflow: Workflow
    period: Period
    now: datetime

    @property
    def since(self) -> datetime:
        return self.period.since(self.now)

    @cached_property
    def _known(self) -> tuple[datetime, list[StepFigures]]:
        key = f"steps:{self.workflow.pk}:{self.period.days}"
        return worked_out(
            key, self.now, lambda: step_figures.of_workflow(self.workflow, self.since)
        )

    @property
    def at(self) -> datetime:
        """When this was worked out."""
        return self._known[0]

    @property
    def figures(self) -> list[StepFigures]:
        return self._known[1]

    @property
    def shown(self) -> list[StepFigures]:
        return self.figures[:MOST_SHOWN]

    @property
    def left_out(self) -> int:
        return len(self.figures) - len(self.shown)

    @cached_property
    def feed(self) -> StepFeed | None:
        return StepFeed.objects.filter(account=self.workflow.account_id).first()

    @property
    def unread(self) -> timedelta | None:
        """How much of the period has events that were not read yet."""
        return self.feed.unread(self.since) if self.feed and self.feed.laid_through else None

    @property
    def error(self) -> str:
        """Why events cannot be read."""
        return self.workflow.account.feed_error or (self.feed.error if self.feed else "")
