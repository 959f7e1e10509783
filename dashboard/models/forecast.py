"""What will happen by itself in the next hours: sleeps and waits that end, retries, and what
Cloudflare deletes. From a bounded part of an index for each hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F

from dashboard.insight.phase import PhaseKind
from dashboard.models import by_hand, history_figures
from dashboard.models.workflow import Workflow

HOUR = timedelta(hours=1)
HOURS = 24
#: Of one hour so many are counted; there may be more.
MOST = 10_000
#: Deletions are told of so many workflows, those that were triggered last.
MOST_WORKFLOWS = 50
DELETED = "deleted"
KINDS = (PhaseKind.SLEEPING.value, PhaseKind.WAITING_FOR_EVENT.value, PhaseKind.RETRYING.value)
DUE = """
    SELECT {place}, workflow_id, phase, count(*) FROM (
        SELECT workflow_id, phase FROM dashboard_instance
        WHERE due_on >= %s AND due_on < %s AND expired_at IS NULL{and_workflow} LIMIT {most}
    ) AS due_{place} GROUP BY workflow_id, phase
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


def forecast(now: datetime, workflows: Collection[int] | None = None) -> list[Hour]:
    """The next HOURS hours, the first one what is left of the present one; of all workflows that
    Cloudflare lists, or of those with these keys."""
    first = datetime.fromtimestamp(now.timestamp() // 3600 * 3600, UTC)
    begins = [now, *(first + HOUR * place for place in range(1, HOURS + 1))]
    ends = [*begins[1:], now + HOUR * HOURS]
    hours = [Hour(*span) for span in zip(begins, ends, strict=True) if span[0] < span[1]]
    if workflows is not None and not workflows:
        return hours
    _count_due(hours, workflows)
    _count_deletions(_newest(workflows), hours, now)
    return hours


def _newest(workflows: Collection[int] | None) -> list[int]:
    """Those that were triggered last, of these or of all, as many as deletions are told of."""
    if workflows is not None and len(workflows) <= MOST_WORKFLOWS:
        return [*workflows]
    wanted = Workflow.objects
    found = wanted.present() if workflows is None else wanted.filter(pk__in=workflows)
    last = F("triggered_on").desc(nulls_last=True)
    return list(found.order_by(last, "pk").values_list("pk", flat=True)[:MOST_WORKFLOWS])


def _count_due(hours: Sequence[Hour], workflows: Collection[int] | None) -> None:
    of = [] if workflows is None else [*workflows]
    and_workflow = f" AND workflow_id IN ({', '.join(['%s'] * len(of))})" if of else ""
    parts = [
        DUE.format(place=place, and_workflow=and_workflow, most=MOST) for place in range(len(hours))
    ]
    spans = [
        value
        for hour in hours
        for value in (by_hand.held(hour.begins), by_hand.held(hour.ends), *of)
    ]
    for place, workflow_id, phase, number in _rows(parts, spans):
        hours[place].numbers[workflow_id, phase] += number
    for hour in hours:
        hour.is_cut = sum(hour.numbers.values()) >= MOST


def _count_deletions(workflows: Collection[int], hours: Sequence[Hour], now: datetime) -> None:
    """Adds about how many finished instances of these workflows Cloudflare deletes in each hour."""
    for pk, moments in history_figures.deletions(workflows, now).items():
        for moment, number in moments.items():
            hour = next((one for one in hours if one.begins <= moment < one.ends), None)
            if hour:
                hour.numbers[pk, DELETED] += number


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
