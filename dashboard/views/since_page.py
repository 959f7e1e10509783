"""Everything the page of what has changed since a moment shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from dashboard.forms.since import Since
from dashboard.insight.causes import Appeared, Cause, Failing, Hanging, Told, causes, headline
from dashboard.insight.group_state import GroupState
from dashboard.insight.recovering import has_fallen, is_gone
from dashboard.insight.urgency import Need, worst_first
from dashboard.models import (
    Access,
    BriefWorkflow,
    CountsThen,
    Decision,
    Operation,
    Workflow,
    group_figures,
    history_figures,
)
from dashboard.models.group_figures import MOST_UNREAD, GroupFigures
from dashboard.models.history import period_of
from dashboard.models.history_figures import Sums
from dashboard.views import broken
from dashboard.views.board import AHEAD, NONE, Board
from dashboard.views.counts import in_order, list_address
from dashboard.views.operation_rows import counted
from dashboard.views.workflow_rows import WorkflowRow, rows_of

HOUR = timedelta(hours=1)
#: What fails lately is told from so much time.
LATELY = timedelta(minutes=30)
SHOWN = 20


@dataclass(frozen=True)
class Change:
    """How many instances had a status then, and have it now."""

    status: str
    then: int
    now: int
    href: str


@dataclass(frozen=True)
class Line:
    """A workflow. `then`: Cloudflare's counts at the moment, None where none were kept."""

    row: WorkflowRow[BriefWorkflow]
    need: Need
    then: CountsThen | None

    @property
    def changes(self) -> list[Change]:
        """The statuses of which there are more or fewer now."""
        if self.then is None:
            return []
        before, now = self.then.counts, self.row.numbers
        return [
            Change(
                status,
                before.get(status, 0),
                now.get(status, 0),
                list_address(workflow=self.row.address, status=status),
            )
            for status in in_order(now, before)
            if before.get(status, 0) != now.get(status, 0)
        ]


@dataclass(frozen=True)
class Better:
    """A workflow of which a smaller share fails lately than in the hour before the moment."""

    workflow: BriefWorkflow
    before: Sums
    lately: Sums


class SincePage:
    """What has changed between `at` and `now`, of what may be seen."""

    def __init__(self, at: datetime, now: datetime, access: Access) -> None:
        self.at, self.now, self.access = at, now, access
        self.hour = at.replace(minute=0, second=0, microsecond=0)
        self.board = Board(Since(at.isoformat(), at), now)

    @property
    def headline(self) -> str:
        told = Told(self.new, self.grown, self.going_on, self.stuck, self.versions)
        return headline(told, self.at, self.now)

    @cached_property
    def rows(self) -> list[WorkflowRow[BriefWorkflow]]:
        """All workflows that Cloudflare still lists."""
        seen = Workflow.objects.present().filter(self.access.seen("pk"))
        return rows_of(seen.in_brief())

    @cached_property
    def workflows(self) -> dict[int, BriefWorkflow]:
        return {row.workflow.pk: row.workflow for row in self.rows}

    @cached_property
    def all_lines(self) -> list[Line]:
        """Those in which something changed, or of which that is not known; the worst first."""
        then = self.board.then
        told = [Line(row, self.board.need(row), then.get(row.workflow.pk)) for row in self.rows]
        found = [one for one in told if one.changes or one.then is None or one.need.ended]
        return sorted(found, key=lambda one: worst_first(one.need))

    @property
    def lines(self) -> list[Line]:
        return self.all_lines[:SHOWN]

    # -- causes --------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> list[GroupFigures]:
        found = broken.groups_seen(self.now, self.at)
        return [one for one in found if one.group.workflow_id in self.workflows]

    @cached_property
    def open_groups(self) -> list[GroupFigures]:
        """Those of which nobody said that they need nobody, and that were seen since."""
        over = {GroupState.IGNORED, GroupState.RESOLVED}
        return [g for g in self.groups if g.state not in over and g.counted.last_seen_on >= self.at]

    @cached_property
    def new(self) -> list[Cause]:
        """What was first seen since the moment, or came back since."""
        return causes(
            self._failing(one, None if one.state is GroupState.REGRESSED else GroupState.NEW)
            for one in self.open_groups
            if self._began(one) >= self.at
        )

    @cached_property
    def grown(self) -> list[Cause]:
        """What was known before, and fails far more often since."""
        return causes(
            self._failing(one, GroupState.GROWING)
            for one in self.open_groups
            if self._began(one) < self.at and one.is_growing
        )

    @cached_property
    def going_on(self) -> list[Cause]:
        """What broke before the moment and is broken still."""
        return causes(
            self._failing(one)
            for one in self.open_groups
            if self._began(one) < self.at and one.state in broken.BROKEN and not one.is_growing
        )

    @cached_property
    def as_before(self) -> int:
        """How many groups go on as they did."""
        named = [self.new, self.grown, self.going_on]
        return len(self.open_groups) - sum(len(c.parts) for found in named for c in found)

    @cached_property
    def gone(self) -> list[GroupFigures]:
        """What failed in the day before, and would have failed since if it still did."""
        return [
            one for one in self.groups if one.counted.last_seen_on < self.at and self._is_gone(one)
        ]

    def _is_gone(self, one: GroupFigures) -> bool:
        pk = one.group.workflow_id
        day_before = self.at - timedelta(days=1)
        failed = sum(n for at, n in one.counted.hours.items() if at >= day_before)
        ended = self.board.usual.get(pk, NONE).ended
        return is_gone(failed, ended, self.board.lately.get(pk, NONE).ended)

    def _began(self, one: GroupFigures) -> datetime:
        """When it was first seen; where it came back, in the first hour after it was resolved."""
        decision = one.group.decision
        if one.state is not GroupState.REGRESSED or decision is None:
            return one.counted.first_seen_on
        later = [at for at in one.counted.hours if at >= decision.decided_at]
        began = min(later, default=one.counted.last_seen_on)
        # Which part of its hour is not known: that of the moment itself counts as since.
        return max(began, self.at) if began >= self.hour else began

    def _failing(self, one: GroupFigures, state: GroupState | None = None) -> Failing:
        return broken.failing(one, self.hour, self.oldest_unread, state)

    @cached_property
    def oldest_unread(self) -> dict[int, datetime]:
        return group_figures.oldest_unread({one.group.workflow_id for one in self.open_groups})

    @cached_property
    def unread(self) -> int:
        """Errored instances that are in no group yet."""
        return group_figures.unread(self.access.workflows)

    @property
    def unread_text(self) -> str:
        return f"{self.unread:,}{'+' * (self.unread == MOST_UNREAD)}"

    # -- stuck, versions, recovered, people ----------------------------------------------------

    @cached_property
    def stuck(self) -> list[Hanging]:
        """Where instances are stuck, those with the most since the moment first."""
        found = broken.hanging(self.board.stuck.steps, self.workflows, self.at)
        return sorted(found, key=lambda one: (-one.new, -one.number))

    @cached_property
    def versions(self) -> list[Appeared]:
        return broken.appeared(self.at, self.workflows)

    @cached_property
    def better(self) -> list[Better]:
        """The workflows that fail less than before."""
        begins = period_of(self.at, self.now)
        before = history_figures.sums(begins - HOUR, begins)
        since = max(begins, period_of(self.now - LATELY, self.now))
        lately = history_figures.sums(since, self.now + AHEAD)
        return [
            Better(workflow, before[pk], lately[pk])
            for pk, workflow in self.workflows.items()
            if pk in before and pk in lately and has_fallen(before[pk], lately[pk])
        ]

    @cached_property
    def operations(self) -> list[Operation]:
        """What people asked for since, the latest first."""
        found = Operation.objects.seen_by(self.access).filter(requested_at__gte=self.at)
        return counted([*found.select_related("workflow__account", "requested_by")[:SHOWN]])

    @cached_property
    def decisions(self) -> list[Decision]:
        """What people said of groups since, the latest first."""
        found = Decision.objects.filter(
            self.access.seen("group__workflow"), decided_at__gte=self.at
        )
        return [*found.select_related("decided_by", "group__workflow")[:SHOWN]]
