"""How many instances of a workflow began when, how they stand, how long they took: from a bounded
part of each index, so that it costs the same for a thousand and for millions, but for the counts
themselves, which are read from the index alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection

from dashboard.cloudflare.types import FINISHED, UNFINISHED, Status
from dashboard.insight.percentiles import percentile
from dashboard.models import by_hand
from dashboard.models.instance import Instance
from dashboard.models.tally import Tally
from dashboard.models.workflow import Version, Workflow

#: Of the complete ones of each interval, so many of the newest tell how long they take.
SAMPLE = 200
#: Of all, so many of the newest tell which versions run.
NEWEST = 10_000
#: The same of each status, for where they stand.
NEWEST_OF_EACH = 2_000
ENDED = frozenset(status.value for status in FINISHED)

COUNTS = """
    WITH spans(begins, ends) AS (VALUES {spans}), statuses(word) AS (VALUES {statuses})
    SELECT spans.begins, statuses.word, (
        SELECT count(*) FROM dashboard_instance
        WHERE workflow_id = %s AND status = statuses.word
        AND created_on >= spans.begins AND created_on < spans.ends
    ) FROM spans CROSS JOIN statuses
"""
DURATIONS = """
    SELECT {place}, duration_ms FROM (
        SELECT duration_ms FROM dashboard_instance
        WHERE workflow_id = %s AND status = 'complete' AND created_on >= %s AND created_on < %s
        ORDER BY created_on DESC LIMIT {sample}
    ) AS newest_{place} WHERE duration_ms IS NOT NULL
"""


@dataclass
class Interval:
    """What began from `begins` until `ends`. `durations`: in ms, of the newest complete ones."""

    begins: datetime
    ends: datetime
    counts: dict[str, int] = field(default_factory=dict)
    durations: Counter[int] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return sum(self.counts.values())

    @property
    def errored_percent(self) -> float | None:
        """Of a hundred that ended, how many errored; None while none has."""
        ended = sum(self.counts.get(status, 0) for status in FINISHED)
        return 100 * self.counts.get(Status.ERRORED, 0) / ended if ended else None

    @property
    def p50(self) -> int | None:
        return percentile(self.durations, 50)

    @property
    def p95(self) -> int | None:
        return percentile(self.durations, 95)


@dataclass(frozen=True)
class Share:
    """A version's part of the newest instances, and how these stand."""

    number: int
    of: int
    errored: int
    unfinished: int

    @property
    def percent(self) -> float:
        return 100 * self.number / self.of


def over_time(workflow: Workflow, length: timedelta, number: int, now: datetime) -> list[Interval]:
    """So many intervals of this length, the oldest first; the last one is still going on."""
    last = now.timestamp() // length.total_seconds() * length.total_seconds()
    first = datetime.fromtimestamp(last, UTC) - length * (number - 1)
    spans = [(first + length * index, first + length * (index + 1)) for index in range(number)]
    found = [Interval(begins, ends) for begins, ends in spans]
    _count(workflow, found)
    _sample(workflow, found)
    return found


def shares(workflow: Workflow) -> dict[str, Share]:
    """By version, of the newest instances."""
    newest = workflow.instances.order_by("-created_on", "-pk")
    counted = Counter(newest.values_list("version_id", "status")[:NEWEST])
    total = sum(counted.values())
    return {
        version: Share(
            number=sum(n for (one, _), n in counted.items() if one == version),
            of=total,
            errored=counted[version, Status.ERRORED.value],
            unfinished=sum(
                n for (one, status), n in counted.items() if one == version and status not in ENDED
            ),
        )
        for version in {version for version, _ in counted}
    }


@dataclass
class StepCount:
    """How many instances are in a step now, and how many errored in it."""

    unfinished: int = 0
    errored: int = 0

    def add(self, other: StepCount) -> None:
        self.unfinished += other.unfinished
        self.errored += other.errored


def in_steps(version: Version) -> dict[str, StepCount]:
    """By name of the step, of the newest instances of this version of each status, as far as they
    were read one by one."""
    found: defaultdict[str, StepCount] = defaultdict(StepCount)
    held = Instance.objects.filter(workflow=version.workflow_id)
    for status in sorted((UNFINISHED | {Status.ERRORED}) - {Status.UNKNOWN}):
        newest = held.filter(status=status.value).order_by("-created_on", "-pk")
        rows = newest.values_list("version_id", "current_step", "expired_at")[:NEWEST_OF_EACH]
        for version_id, step, expired_at in rows:
            if version_id == version.version_id and step and not expired_at:
                is_errored = status is Status.ERRORED
                found[step].add(StepCount(not is_errored, is_errored))
    return dict(found)


def _count(workflow: Workflow, intervals: Sequence[Interval]) -> None:
    held = Tally.objects.filter(workflow=workflow, held__gt=0)
    statuses = list(held.order_by("status").values_list("status", flat=True))
    if not statuses:
        return
    moment = "%s::timestamptz" if connection.vendor == "postgresql" else "%s"
    statement = COUNTS.format(
        spans=", ".join([f"({moment}, {moment})"] * len(intervals)),
        statuses=", ".join(["(%s)"] * len(statuses)),
    )
    moments = {by_hand.held(one.begins): one for one in intervals}
    spans = [by_hand.held(at) for one in intervals for at in (one.begins, one.ends)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*spans, *statuses, workflow.pk])
        for begins, status, number in cursor.fetchall():
            if number:
                moments[begins].counts[status] = number


def _sample(workflow: Workflow, intervals: Sequence[Interval]) -> None:
    parts = [
        DURATIONS.format(place=place, sample=SAMPLE)
        for place, one in enumerate(intervals)
        if one.counts.get(Status.COMPLETE)
    ]
    parameters = [
        parameter
        for one in intervals
        if one.counts.get(Status.COMPLETE)
        for parameter in (workflow.pk, by_hand.held(one.begins), by_hand.held(one.ends))
    ]
    if not parts:
        return
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), parameters)
        for place, milliseconds in cursor.fetchall():
            intervals[place].durations[milliseconds] += 1
