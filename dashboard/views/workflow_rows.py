"""Workflows as the pages show them: with their counts, and whose counts these are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Self

from django.utils.dateparse import parse_datetime

from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models import Account, Progress, Workflow, tallies
from dashboard.models.progress import Coverage
from dashboard.views.counts import StatusCount, in_order, list_address, status_counts


@dataclass(frozen=True)
class Schedule:
    """One cron schedule, and when it fires next where Cloudflare said so."""

    cron: str
    next_at: datetime | None


@dataclass(frozen=True)
class WorkflowRow:
    """A workflow and how many instances it has of each status."""

    workflow: Workflow
    numbers: dict[str, int]

    @property
    def is_counted_by_cloudflare(self) -> bool:
        """False when the counts are those of the instances that are kept here."""
        return self.workflow.counts is not None

    @property
    def errored(self) -> int:
        return self.numbers.get(Status.ERRORED, 0)

    @property
    def unfinished(self) -> int:
        return sum(number for status, number in self.numbers.items() if status not in FINISHED)

    @property
    def counts(self) -> list[StatusCount]:
        present = [status for status in in_order(self.numbers) if self.numbers.get(status)]
        return status_counts(self.numbers, present, workflow=self.address)

    @property
    def address(self) -> str:
        """How the search language names it."""
        return f"{self.workflow.account.account_id}/{self.workflow.name}"

    @property
    def instances_href(self) -> str:
        return list_address(workflow=self.address)

    @property
    def schedules(self) -> list[Schedule]:
        return [
            Schedule(entry.get("cron", ""), _instant(entry.get("next_instance")))
            for entry in self.workflow.schedules
        ]

    @property
    def worst_first(self) -> tuple[bool, int, int, str]:
        """Sorts by what needs somebody: errors, then what is still going; the gone come last."""
        is_gone = self.workflow.gone_at is not None
        return (is_gone, -self.errored, -self.unfinished, self.workflow.name)


@dataclass
class AccountWorkflows:
    """An account with its workflows, worst first."""

    account: Account
    rows: list[WorkflowRow]
    coverage: Coverage | None = None

    @cached_property
    def sums(self) -> Counter[str]:
        """How many instances all its workflows have of each status."""
        sums: Counter[str] = Counter()
        for row in self.rows:
            sums.update(row.numbers)
        return sums

    @property
    def has_several(self) -> bool:
        return len(self.rows) > 1

    @property
    def statuses(self) -> list[str]:
        """The statuses that occur: one column each."""
        return [status for status in in_order(self.sums) if self.sums[status]]

    @property
    def counts(self) -> list[StatusCount]:
        return status_counts(self.sums, self.statuses, account=self.account.account_id)

    @property
    def lines(self) -> list[tuple[WorkflowRow, list[StatusCount]]]:
        """Each workflow with its counts in the order of the columns."""
        return [
            (row, status_counts(row.numbers, self.statuses, workflow=row.address))
            for row in self.rows
        ]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> list[Self]:
        """One for each account, in that order."""
        accounts = list(accounts)
        by_account: defaultdict[int, list[WorkflowRow]] = defaultdict(list)
        described = Workflow.objects.filter(account__in=accounts).described()
        for row in rows_of(described):
            by_account[row.workflow.account_id].append(row)
        coverage = Progress.objects.filter(workflow__account__in=accounts).coverage()
        return [
            cls(
                account,
                sorted(by_account[account.pk], key=lambda row: row.worst_first),
                coverage.get(account.pk),
            )
            for account in accounts
        ]


def rows_of(workflows: Iterable[Workflow]) -> list[WorkflowRow]:
    """With Cloudflare's own counts where it gives them, else with those of what is kept here."""
    workflows = list(workflows)
    kept = tallies.counts_by_workflow(row.pk for row in workflows if row.counts is None)
    return [
        WorkflowRow(
            workflow, kept.get(workflow.pk, {}) if workflow.counts is None else workflow.counts
        )
        for workflow in workflows
    ]


def _instant(text: str | None) -> datetime | None:
    try:
        return parse_datetime(text) if text else None
    except ValueError:
        return None
