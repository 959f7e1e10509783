"""Workflows as the pages show them: with their counts, and whose counts these are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.utils.dateparse import parse_datetime

from dashboard.cloudflare.types import FINISHED, Status
from dashboard.insight.phase import PhaseKind
from dashboard.models import BriefWorkflow, Workflow, tallies
from dashboard.views.counts import StatusCount, in_order, list_address, status_counts

Some = TypeVar("Some", bound=Workflow | BriefWorkflow)


@dataclass(frozen=True)
class Schedule:
    """One cron schedule, and when it fires next where Cloudflare said so."""

    cron: str
    next_at: datetime | None


@dataclass(frozen=True)
class WorkflowRow(Generic[Some]):
    """A workflow and how many instances it has of each status."""

    workflow: Some
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
    def waiting_href(self) -> str:
        """Those that wait for an event."""
        return list_address(workflow=self.address, phase=PhaseKind.WAITING_FOR_EVENT)

    @property
    def stuck_href(self) -> str:
        return list_address(workflow=self.address, **{"is": "stuck"})

    @property
    def paused_href(self) -> str:
        return list_address(workflow=self.address, status=Status.PAUSED)

    @property
    def schedules(self: WorkflowRow[Workflow]) -> list[Schedule]:
        return [
            Schedule(entry.get("cron", ""), _instant(entry.get("next_instance")))
            for entry in self.workflow.schedules
        ]


def rows_of(workflows: Iterable[Some]) -> list[WorkflowRow[Some]]:
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
