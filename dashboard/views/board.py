"""The overview: what happened lately in each workflow, beside what was usual, worst first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from django.utils.translation import get_language, gettext

from dashboard.forms.since import Since
from dashboard.insight import charts
from dashboard.insight.causes import Cause
from dashboard.insight.urgency import Need
from dashboard.models import BriefWorkflow, CountsThen, UncountedPast, attention, history_figures
from dashboard.models.attention import Stuck, Waiting
from dashboard.models.history import period_of
from dashboard.models.history_figures import DAY, Sums, Took
from dashboard.views.broken import BrokenNow, broken_now, groups_seen, hanging
from dashboard.views.recently import worked_out
from dashboard.views.workflow_rows import WorkflowRow

#: Cloudflare's clock may be ahead of ours.
AHEAD = timedelta(hours=1)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
#: Of the bars, in pixels.
LINE_SIZE = 120, 24
#: Durations of fewer are not compared: they tell nothing.
LEAST_TO_COMPARE = 20
NONE = Sums()
NEVER = Took(0, None, None)

Value = TypeVar("Value")
#: Hours, durations, those of a week before, and how many are deleted soon, by workflow.
OfSome = tuple[dict[int, dict[datetime, Sums]], dict[int, Took], dict[int, Took], dict[int, int]]


@dataclass(frozen=True)
class Line:
    """Numbers of the last 24 hours by hour, as bars and in words."""

    hours: list[tuple[datetime, int]]
    kind: str
    what: str

    @property
    def total(self) -> int:
        return sum(number for _, number in self.hours)

    @property
    def path(self) -> str:
        return charts.sparkline([number for _, number in self.hours], *LINE_SIZE)

    @property
    def words(self) -> str:
        """The same for those who do not see the bars."""
        at, most = max(self.hours, key=lambda hour: hour[1])
        if not most:
            return gettext("%(what)s in the last 24 hours: none") % {"what": self.what}
        told = {
            "what": self.what,
            "each": ", ".join(str(number) for _, number in self.hours),
            "most": f"{most:,}",
            "hour": f"{at:%H:%M}",
        }
        return (
            gettext(
                "%(what)s in each of the last 24 hours, the oldest first: %(each)s. "
                "Most, %(most)s, from %(hour)s UTC"
            )
            % told
        )


@dataclass(frozen=True)
class Figures:
    """What the overview says of a workflow beside its counts.

    `lately`: since the moment that is compared with, else in the last hour. `then`: Cloudflare's
    counts at that moment; None when none is compared with, or none were kept by then.
    """

    need: Need
    lately: Sums
    hours: list[tuple[datetime, Sums]]
    took: Took
    took_before: Took
    waiting_for_event: int
    forgotten: int
    deleted: int
    then: CountsThen | None = None

    @property
    def failures(self) -> Line:
        return Line([(at, one.errored) for at, one in self.hours], "errored", gettext("Failures"))

    @property
    def throughput(self) -> Line:
        return Line([(at, one.ended) for at, one in self.hours], "complete", gettext("Ended"))

    @property
    def is_comparable(self) -> bool:
        """Enough completed on both sides."""
        return min(self.took.number, self.took_before.number) >= LEAST_TO_COMPARE


class Board:
    """The figures of one moment; reads what many workflows share once."""

    def __init__(self, since: Since, now: datetime) -> None:
        self.since, self.now = since, now
        #: When the oldest of the figures was worked out.
        self.at = now
        self.day_begins = now.replace(minute=0, second=0, microsecond=0) - 23 * HOUR
        #: Whole periods are counted, so what is counted since may begin a moment earlier.
        self.begins = period_of(since.at or now - HOUR, now)

    @cached_property
    def began_at(self) -> datetime | None:
        """From when on history is whole; None when it always was."""
        return UncountedPast.objects.values_list("began_at", flat=True).first()

    @cached_property
    def then(self) -> dict[int, CountsThen]:
        return CountsThen.objects.at(self.since.at) if self.since.at else {}

    @cached_property
    def lately(self) -> dict[int, Sums]:
        return history_figures.sums(self.begins, self.now + AHEAD)

    @cached_property
    def usual(self) -> dict[int, Sums]:
        return self._kept(
            f"usual:{self.begins.isoformat()}",
            lambda: history_figures.sums(self.begins - DAY, self.begins),
        )

    @cached_property
    def waiting_for_event(self) -> Waiting:
        return self._kept("waiting-for-event", attention.waiting_for_event)

    @cached_property
    def forgotten(self) -> Waiting:
        return self._kept("forgotten", lambda: attention.forgotten(self.now))

    @cached_property
    def stuck(self) -> Stuck:
        return self._kept("stuck", attention.stuck)

    @cached_property
    def causes(self) -> list[Cause]:
        """Of what is new, growing or back, anywhere; kept in the reader's words."""
        return self._kept(
            f"causes:{get_language()}", lambda: broken_now(groups_seen(self.now), self.now)
        )

    def broken(self, workflows: Iterable[BriefWorkflow]) -> BrokenNow:
        """What is broken in these workflows."""
        known = {workflow.pk: workflow for workflow in workflows}
        return BrokenNow(
            [cause for cause in self.causes if cause.place.key in known],
            hanging(self.stuck.steps, known, self.now),
            self.stuck.is_all,
        )

    def need(self, row: WorkflowRow[BriefWorkflow]) -> Need:
        """What the rule of the order looks at."""
        pk = row.workflow.pk
        lately, usual = self.lately.get(pk, NONE), self.usual.get(pk, NONE)
        return Need(
            row.workflow.name,
            failed=lately.errored,
            ended=lately.ended,
            usual_failed=usual.errored,
            usual_ended=usual.ended,
            stuck=self.stuck.counts[pk],
            errored=row.errored,
            unfinished=row.unfinished,
            is_gone=row.workflow.gone_at is not None,
        )

    def figures(
        self, rows: Iterable[tuple[WorkflowRow[BriefWorkflow], Need]]
    ) -> dict[int, Figures]:
        """Of these workflows, by their keys."""
        needs = {row.workflow.pk: need for row, need in rows}
        hours, took, before, deleted = self._of_some(sorted(needs))
        places = [self.day_begins + number * HOUR for number in range(24)]
        return {
            pk: Figures(
                need,
                self.lately.get(pk, NONE),
                [(at, hours.get(pk, {}).get(at, NONE)) for at in places],
                took.get(pk, NEVER),
                before.get(pk, NEVER),
                self.waiting_for_event.counts[pk],
                self.forgotten.counts[pk],
                deleted.get(pk, 0),
                self.then.get(pk),
            )
            for pk, need in needs.items()
        }

    def _of_some(self, pks: Collection[int]) -> OfSome:
        def work() -> OfSome:
            week_before = self.day_begins - WEEK
            return (
                dict(history_figures.by_hour(pks, self.day_begins, self.now + AHEAD)),
                history_figures.took(pks, self.day_begins, self.now + AHEAD),
                history_figures.took(pks, week_before, week_before + DAY),
                {
                    pk: moments.total()
                    for pk, moments in history_figures.deletions(pks, self.now).items()
                },
            )

        return self._kept(f"some:{hash(tuple(pks))}", work)

    def _kept(self, name: str, work: Callable[[], Value]) -> Value:
        at, found = worked_out(f"board:{name}", self.now, work)
        self.at = min(at, self.at)
        return found
