"""An account with its workflows, worst first, as many as one page shows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from dashboard.insight.urgency import Need, worst_first
from dashboard.models import Access, Account, BriefWorkflow, Progress, Workflow
from dashboard.models.progress import Coverage
from dashboard.views.board import Board, Figures
from dashboard.views.counts import StatusCount, in_order, status_counts
from dashboard.views.workflow_rows import WorkflowRow, rows_of

#: So many have their figures on one page.
PER_PAGE = 20
Brief = tuple[WorkflowRow[BriefWorkflow], Need]


@dataclass(frozen=True)
class Cell:
    """A count, and what it was at the moment that is compared with; None where that is unknown."""

    count: StatusCount
    then: int | None

    @property
    def change(self) -> int:
        return 0 if self.then is None else self.count.number - self.then


@dataclass(frozen=True)
class AccountWorkflows:
    """`rows`: all of them, worst first. Of those that the page shows, by their keys: `figures`, and
    `described`, with their versions."""

    account: Account
    rows: list[Brief]
    board: Board
    figures: dict[int, Figures]
    described: dict[int, Workflow]
    page: int = 1
    coverage: Coverage | None = None

    @cached_property
    def sums(self) -> Counter[str]:
        """How many instances all its workflows have of each status."""
        sums: Counter[str] = Counter()
        for row, _ in self.rows:
            sums.update(row.numbers)
        return sums

    @property
    def has_several(self) -> bool:
        return len(self.rows) > 1

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.rows) // PER_PAGE))

    @property
    def shown(self) -> list[Brief]:
        return _shown(self.rows, self.page)

    @cached_property
    def statuses(self) -> list[str]:
        """The statuses that occur: one column each."""
        return [status for status in in_order(self.sums) if self.sums[status]]

    @cached_property
    def cells(self) -> list[Cell]:
        """The counts of all workflows; what they were, where that is known of each."""
        then = [self.board.then.get(row.workflow.pk) for row, _ in self.rows]
        counts = status_counts(self.sums, self.statuses, account=self.account.account_id)
        known = [one.counts for one in then if one]
        is_known = len(known) == len(then)
        return [
            Cell(count, sum(one.get(count.status, 0) for one in known) if is_known else None)
            for count in counts
        ]

    @property
    def lines(self) -> list[tuple[WorkflowRow[Workflow], list[Cell], Figures]]:
        """Each workflow of this page with its counts in the order of the columns."""
        found = []
        for brief, _ in self.shown:
            pk = brief.workflow.pk
            row, figures = WorkflowRow(self.described[pk], brief.numbers), self.figures[pk]
            found.append((row, self._cells(row, figures), figures))
        return found

    def _cells(self, row: WorkflowRow[Workflow], figures: Figures) -> list[Cell]:
        then = figures.then
        return [
            Cell(count, then.counts.get(count.status, 0) if then else None)
            for count in status_counts(row.numbers, self.statuses, workflow=row.address)
        ]

    @classmethod
    def of(
        cls, accounts: Iterable[Account], board: Board, access: Access, page: int = 1
    ) -> list[Self]:
        """One for each account, in that order, with the workflows of it that may be seen."""
        accounts = [one for one in accounts if access.sees_account(one.account_id)]
        by_account: defaultdict[int, list[Brief]] = defaultdict(list)
        seen = Workflow.objects.filter(access.seen("pk"), account__in=accounts)
        for row in rows_of(seen.in_brief()):
            by_account[row.workflow.account.pk].append((row, board.need(row)))
        for rows in by_account.values():
            rows.sort(key=lambda one: worst_first(one[1]))
        shown = [one for rows in by_account.values() for one in _shown(rows, page)]
        figures = board.figures(shown)
        described = Workflow.objects.described().in_bulk([row.workflow.pk for row, _ in shown])
        coverage = Progress.objects.filter(access.seen(), workflow__account__in=accounts).coverage()
        return [
            cls(
                account,
                by_account[account.pk],
                board,
                figures,
                described,
                page,
                coverage.get(account.pk),
            )
            for account in accounts
        ]


def _shown(rows: list[Brief], page: int) -> list[Brief]:
    return rows[(page - 1) * PER_PAGE : page * PER_PAGE]
