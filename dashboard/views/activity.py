"""How the instances of a workflow went over a period: worked out at most once in a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from dashboard.insight import charts
from dashboard.insight.charts import Chart
from dashboard.models import Workflow, activity
from dashboard.models.activity import Interval, Share
from dashboard.views.counts import in_order
from dashboard.views.recently import worked_out
from dashboard.views.step_periods import Period

#: How a period of so many days is divided: the length of an interval, and how many.
INTERVALS = {
    1: (timedelta(hours=1), 24),
    7: (timedelta(hours=6), 28),
    31: (timedelta(days=1), 31),
    365: (timedelta(days=7), 53),
}


class Activity:
    """Reads the database only when a page asks, and what was read less than a minute ago again."""

    def __init__(self, workflow: Workflow, period: Period, now: datetime) -> None:
        self.workflow, self.period, self.now = workflow, period, now

    @cached_property
    def _known(self) -> tuple[datetime, tuple[list[Interval], dict[str, Share]]]:
        length, number = INTERVALS[self.period.days]
        return worked_out(
            f"activity:{self.workflow.pk}:{self.period.days}",
            self.now,
            lambda: (
                activity.over_time(self.workflow, length, number, self.now),
                activity.shares(self.workflow),
            ),
        )

    @property
    def at(self) -> datetime:
        """When this was worked out."""
        return self._known[0]

    @property
    def intervals(self) -> list[Interval]:
        return self._known[1][0]

    @property
    def shares(self) -> dict[str, Share]:
        return self._known[1][1]

    @property
    def newest(self) -> int:
        """How many of the newest instances the shares are of."""
        return next((share.of for share in self.shares.values()), 0)

    @property
    def without_version(self) -> int:
        """How many of them have no version that is known."""
        unknown = self.shares.get("")
        return unknown.number if unknown else 0

    @cached_property
    def statuses(self) -> list[str]:
        """Those that occur, in the order of all lists."""
        found = {status for one in self.intervals for status in one.counts}
        return [status for status in in_order({}, found) if status in found]

    @property
    def number(self) -> int:
        return sum(one.number for one in self.intervals)

    @property
    def step(self) -> timedelta:
        return INTERVALS[self.period.days][0]

    @cached_property
    def created(self) -> Chart:
        """How many began when, by how they stand now."""
        columns = [(one.begins, one.counts) for one in self.intervals]
        return charts.stacked(columns, self.statuses, self.step)

    @cached_property
    def durations(self) -> Chart:
        """How long the complete ones took, by when they began."""
        columns = [(one.begins, one.p50, one.p95) for one in self.intervals]
        return charts.ranges(columns, self.step)

    @property
    def rows(self) -> list[tuple[Interval, list[int]]]:
        """Each interval in which something began, the newest first, with its counts in order."""
        return [
            (one, [one.counts.get(status, 0) for status in self.statuses])
            for one in reversed(self.intervals)
            if one.number
        ]
