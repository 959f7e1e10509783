"""What will happen by itself in the next hours: sleeps and waits that end, retries, and what
Cloudflare deletes. From a bounded part of an index for each hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from dashboard.cloudflare.types import Status
from dashboard.insight.durations import duration
from dashboard.insight.phase import PhaseKind
from dashboard.models.instance import Instance
from dashboard.models.workflow import Version, Workflow

HOUR = timedelta(hours=1)
HOURS = 24
#: Of one hour so many are counted; there may be more.
MOST = 10_000
#: Deletions are told of so many workflows, those that were triggered last.
MOST_WORKFLOWS = 50
#: A retention above this is no retention that Cloudflare has.
LONGEST = timedelta(days=366)
DELETED = "deleted"
KINDS = (PhaseKind.SLEEPING.value, PhaseKind.WAITING_FOR_EVENT.value, PhaseKind.RETRYING.value)
DUE = """
    SELECT {place}, workflow_id, phase, count(*) FROM (
        SELECT workflow_id, phase FROM dashboard_instance
        WHERE due_on >= %s AND due_on < %s AND expired_at IS NULL{and_workflow} LIMIT {most}
    ) AS due_{place} GROUP BY workflow_id, phase
"""
CREATED = """
    SELECT {place}, count(*) FROM (
        SELECT id FROM dashboard_instance WHERE workflow_id = %s AND status = %s
        AND created_on >= %s AND created_on < %s LIMIT {most}
    ) AS created_{place}
"""


@dataclass
class Hour:
    """What is due from `begins` until `ends`, by the workflow's key and the kind: a phase that ends
    then, or DELETED. `is_cut`: there may be more."""

    begins: datetime
    ends: datetime
    numbers: Counter[tuple[int, str]] = field(default_factory=Counter)
    is_cut: bool = False

    def number(self, kind: str) -> int:
        return sum(n for (_, one), n in self.numbers.items() if one == kind)

    @property
    def wakes(self) -> int:
        """How many go on then."""
        return sum(self.number(kind) for kind in KINDS)


def forecast(now: datetime, workflow: Workflow | None = None) -> list[Hour]:
    """The next HOURS hours, the first one what is left of the present one; of all workflows that
    Cloudflare lists, or of one."""
    first = datetime.fromtimestamp(now.timestamp() // 3600 * 3600, UTC)
    begins = [now, *(first + HOUR * place for place in range(1, HOURS + 1))]
    ends = [*begins[1:], now + HOUR * HOURS]
    hours = [Hour(*span) for span in zip(begins, ends, strict=True) if span[0] < span[1]]
    _count_due(hours, workflow)
    wanted = Workflow.objects.present().order_by("-triggered_on", "pk")[:MOST_WORKFLOWS]
    for one in [workflow] if workflow else wanted:
        count_deletions(one, hours)
    return hours


def _count_due(hours: Sequence[Hour], workflow: Workflow | None) -> None:
    and_workflow = " AND workflow_id = %s" if workflow else ""
    parts = [
        DUE.format(place=place, and_workflow=and_workflow, most=MOST) for place in range(len(hours))
    ]
    of = [workflow.pk] if workflow else []
    spans = [value for hour in hours for value in (*_moments(hour.begins, hour.ends), *of)]
    for place, workflow_id, phase, number in _rows(parts, spans):
        hours[place].numbers[workflow_id, phase] += number
    for hour in hours:
        hour.is_cut = sum(hour.numbers.values()) >= MOST


def count_deletions(workflow: Workflow, hours: Sequence[Hour]) -> None:
    """Adds how many finished instances of the workflow Cloudflare may delete in each hour.

    By when they were created and the retention of its newest version: an instance that took long
    goes as much later. The one place to read how many ended when, once that is summed up.
    """
    for status, retention in _retentions(workflow).items():
        parts = [CREATED.format(place=place, most=MOST) for place in range(len(hours))]
        spans: list[Any] = []
        for hour in hours:
            then = _moments(hour.begins - retention, hour.ends - retention)
            spans += [workflow.pk, status.value, *then]
        for place, number in _rows(parts, spans):
            if number:
                hours[place].numbers[workflow.pk, DELETED] += number
                hours[place].is_cut |= number >= MOST


def _retentions(workflow: Workflow) -> dict[Status, timedelta]:
    """How long Cloudflare keeps what succeeded and what failed, as its newest version says."""
    newest = Version.objects.filter(workflow=workflow).newest_first().first()
    if newest is None:
        return {}
    told = {
        Status.COMPLETE: duration(newest.success_retention),
        Status.ERRORED: duration(newest.error_retention),
    }
    return {status: kept for status, kept in told.items() if kept and kept < LONGEST}


def totals(hours: Collection[Hour]) -> dict[int, Counter[str]]:
    """How many of each kind in all hours, by the workflow's key."""
    found: dict[int, Counter[str]] = {}
    for hour in hours:
        for (workflow, kind), number in hour.numbers.items():
            found.setdefault(workflow, Counter())[kind] += number
    return found


def _rows(parts: Sequence[str], values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        return list(cursor.fetchall())


def _moments(begins: datetime, ends: datetime) -> list[Any]:
    """The span as the columns hold it."""
    column = Instance._meta.get_field("created_on")
    return [column.get_db_prep_value(moment, connection) for moment in (begins, ends)]
