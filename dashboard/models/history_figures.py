"""What history tells of workflows: from periods, so that it costs the same for any number of
instances."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection

from dashboard.insight.durations import duration
from dashboard.insight.percentiles import percentile
from dashboard.models import by_hand
from dashboard.models.durations import LISTED, added_up
from dashboard.models.history import WorkflowPeriod
from dashboard.models.workflow import Version

SUMS = """
    SELECT workflow_id, {hour}, sum(created), sum(completed), sum(errored), sum(terminated)
    FROM dashboard_workflowperiod WHERE begins_on >= {{}} AND begins_on < {{}} {among}
    GROUP BY 1, 2
"""
TOOK = """
    SELECT workflow_id, {durations} FROM dashboard_workflowperiod
    WHERE workflow_id IN {{}} AND begins_on >= {{}} AND begins_on < {{}} AND completed > 0
    GROUP BY workflow_id
"""
#: The hour of a period, as text.
HOURS = {
    "sqlite": "substr(begins_on, 1, 13)",
    "postgresql": "to_char(begins_on AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
}
DAY = timedelta(days=1)
#: A retention above this is no retention that Cloudflare has.
LONGEST = timedelta(days=366)


class Sums(NamedTuple):
    """How many instances began, and how many ended and how."""

    created: int = 0
    completed: int = 0
    errored: int = 0
    terminated: int = 0

    @property
    def ended(self) -> int:
        return self.completed + self.errored + self.terminated

    @property
    def errored_percent(self) -> float | None:
        """Of a hundred that ended, how many errored; None when none did end."""
        return 100 * self.errored / self.ended if self.ended else None


class Took(NamedTuple):
    """How long the complete ones took, in ms; `number`: of how many that is known."""

    number: int
    p50: int | None
    p95: int | None


def sums(since: datetime, until: datetime) -> dict[int, Sums]:
    """Of each workflow, by its key, over the periods that begin in this time."""
    found = by_hand.rows(
        SUMS.format(hour="0", among=""), [by_hand.held(since)], [by_hand.held(until)]
    )
    return {pk: Sums(*map(int, numbers)) for pk, _, *numbers in found}


def by_hour(
    workflows: Collection[int], since: datetime, until: datetime
) -> dict[int, dict[datetime, Sums]]:
    """The same of these workflows by hour. Hours in which nothing happened are left out."""
    found: defaultdict[int, dict[datetime, Sums]] = defaultdict(dict)
    if not workflows:
        return found
    statement = SUMS.format(hour=HOURS[connection.vendor], among="AND workflow_id IN {}")
    for pk, hour, *numbers in by_hand.rows(
        statement, [by_hand.held(since)], [by_hand.held(until)], workflows
    ):
        at = datetime.fromisoformat(f"{hour}:00").replace(tzinfo=UTC)
        found[pk][at] = Sums(*map(int, numbers))
    return found


def took(workflows: Collection[int], since: datetime, until: datetime) -> dict[int, Took]:
    """How long those of these workflows took that completed in this time."""
    if not workflows:
        return {}
    statement = TOOK.format(durations=LISTED[connection.vendor])
    found = by_hand.rows(statement, workflows, [by_hand.held(since)], [by_hand.held(until)])
    told = {pk: added_up(listed) for pk, listed in found}
    return {
        pk: Took(counts.total(), percentile(counts, 50), percentile(counts, 95))
        for pk, counts in told.items()
    }


def by_version(workflow: int, since: datetime, until: datetime) -> dict[str, Sums]:
    """The same of this workflow by version; "" is one that is not known."""
    statement = SUMS.format(hour="version_id", among="AND workflow_id IN {}")
    spans = [by_hand.held(since)], [by_hand.held(until)]
    found = by_hand.rows(statement, *spans, [workflow])
    return {version_id: Sums(*map(int, numbers)) for _, version_id, *numbers in found}


def deletions(workflows: Collection[int], now: datetime) -> dict[int, Counter[datetime]]:
    """About how many of each Cloudflare deletes in the next 24 hours, by when the period in which
    they ended will have been kept as long as their version says. None where no version tells."""
    versions = Version.objects.filter(workflow__in=workflows).values_list(
        "workflow", "version_id", "success_retention", "error_retention"
    )
    wanted: defaultdict[timedelta, dict[tuple[int, str], list[str]]] = defaultdict(dict)
    for pk, version_id, success, error in versions:
        for field, text in (("completed", success), ("errored", error)):
            if (kept_for := duration(text)) and kept_for < LONGEST:
                wanted[kept_for].setdefault((pk, version_id), []).append(field)
    found: defaultdict[int, Counter[datetime]] = defaultdict(Counter)
    for kept_for, places in wanted.items():
        ended = WorkflowPeriod.objects.filter(
            workflow__in={pk for pk, _ in places},
            begins_on__gte=now - kept_for,
            begins_on__lt=now - kept_for + DAY,
        ).values_list("workflow", "version_id", "begins_on", "completed", "errored")
        for pk, version_id, begins_on, completed, errored in ended:
            fields = places.get((pk, version_id), [])
            number = ("completed" in fields) * completed + ("errored" in fields) * errored
            if number:
                found[pk][begins_on + kept_for] += number
    return dict(found)
