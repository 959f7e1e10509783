"""Adds to the rows that `held` wrote what the dashboard learns of them in a month.

python -m benchmarks.learned   prints how long what happened took to be counted, and its periods
"""

from __future__ import annotations

import random
import time
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import accumulate

from django.db import connection
from django.utils import timezone

from benchmarks import held  # First, for it sets Django up.  # isort: split
from dashboard.models import (
    Account,
    CountsThen,
    ErrorGroup,
    ErrorGroupHour,
    Instance,
    Progress,
    StepHour,
    StepNormal,
    UncountedPast,
    Version,
    Workflow,
    WorkflowPeriod,
    tallies,
)
from dashboard.models.history_past import count_past

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STEPS = ["validate", "charge-card", "reserve-stock", "ship", "notify"]
#: Failures have so many causes, and each was seen in each of so many hours.
GROUPS, HOURS = 300, 170
#: One of so many errored instances was not read yet; one of so many running ones is stuck.
UNREAD, STUCK = 20, 10
#: How instances stand, by status: their phase and when they go on, in SQL by the row's key.
PHASES = {
    "running": ["running"],
    "waiting": ["sleeping", "waiting-for-event", "retrying"],
    "queued": ["queued"],
    "paused": ["paused"],
}
STANDING = (
    "phase", "current_step", "attempts", "due_on", "read_at", "at_work_on", "expected_by",
)  # fmt: skip
AT_ONCE = 5_000


def main() -> None:
    now, chance = timezone.now(), random.Random(5)
    Account.objects.update(synced_at=now, counted_at=now)
    workflows = list(Workflow.objects.order_by("pk"))
    _versions(workflows, now)
    _counts(workflows, now)
    _normals(workflows, now)
    _step_hours(workflows[:10], now, chance)
    _stand(now, chance)
    _groups(workflows[:10], now, chance)
    seconds = _periods(now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
    print(f"{seconds:.0f} {WorkflowPeriod.objects.count()}")


def _versions(workflows: list[Workflow], now: datetime) -> None:
    kept = {"success_retention": "7 days", "error_retention": "28 days", "synced_at": now}
    lived = held.SPAN / len(held.VERSIONS)
    Version.objects.bulk_create(
        (
            Version(
                workflow=workflow,
                version_id=version_id,
                created_on=now - held.SPAN + lived * place,
                **kept,
            )
            for workflow in workflows
            for place, version_id in enumerate(held.VERSIONS)
        ),
        batch_size=AT_ONCE,
    )


def _counts(workflows: list[Workflow], now: datetime) -> None:
    """Of each workflow by the minute of the last hour, by the hour of a day, then by the day."""
    ages = [timedelta(minutes=5) * n for n in range(1, 12)]
    ages += [HOUR * n for n in range(1, 24)] + [DAY * n for n in range(1, 30)]
    counts = tallies.counts_by_workflow(workflow.pk for workflow in workflows)
    for workflow in workflows:
        told = counts.get(workflow.pk, {})
        Workflow.objects.filter(pk=workflow.pk).update(counts=told, counted_at=now)
        CountsThen.objects.bulk_create(
            CountsThen(
                workflow=workflow,
                begins_at=(now - age).replace(second=0, microsecond=0),
                counts=told,
                counted_at=now - age,
            )
            for age in ages
        )
    Progress.objects.bulk_create(
        Progress(workflow=workflow, unfinished=200, unread=10, covered_at=now)
        for workflow in workflows
    )


def _normals(workflows: list[Workflow], now: datetime) -> None:
    StepNormal.objects.bulk_create(
        (
            StepNormal(
                workflow=workflow,
                version_id=version_id,
                step_name=name,
                n=900,
                p50=1_000,
                p95=4_000,
                p99=9_000,
                as_of=now,
            )
            for workflow in workflows
            for version_id in ("", *held.VERSIONS[-2:])
            for name in ("", *STEPS)
        ),
        batch_size=AT_ONCE,
    )


def _step_hours(workflows: list[Workflow], now: datetime, chance: random.Random) -> None:
    first = now.replace(minute=0, second=0, microsecond=0)
    StepHour.objects.bulk_create(
        (
            StepHour(
                workflow=workflow,
                begins_on=first - HOUR * hours,
                step_name=name,
                version_id=held.VERSIONS[-1 - hours // 36],
                succeeded=40,
                failed=1,
                durations={str(chance.randrange(100, 900)): 2 for _ in range(20)},
            )
            for workflow in workflows
            for hours in range(168)
            for name in STEPS
        ),
        batch_size=AT_ONCE,
    )


def _stand(now: datetime, chance: random.Random) -> None:
    """Where the unfinished ones stood when they were read, half a minute ago."""
    read_at = now - timedelta(seconds=30)
    for status, phases in PHASES.items():
        changed: list[Instance] = []
        for row in Instance.objects.filter(status=status).order_by("pk"):
            row.phase = chance.choice(phases)
            row.current_step = chance.choice(STEPS)
            row.read_at, row.attempts = read_at, 1
            if status == "waiting":
                row.due_on = now + DAY * chance.random() * 3
                row.expected_by = row.due_on
            elif status != "paused":
                row.at_work_on = read_at - HOUR
                row.expected_by = read_at + HOUR * (-1 if len(changed) % STUCK == 0 else 1)
            changed.append(row)
        Instance.objects.bulk_update(changed, STANDING, batch_size=200)


def _groups(workflows: list[Workflow], now: datetime, chance: random.Random) -> None:
    """The causes unequal as they are in life; their hours are the same for any number of rows."""
    groups = ErrorGroup.objects.bulk_create(
        ErrorGroup(
            workflow=workflows[place % len(workflows)],
            fingerprint=f"v1:{place}",
            step_name=STEPS[place % len(STEPS)],
            error_name="ProviderError",
            message=held.TEXT.format("{n}", place),
            sample=held.TEXT.format(4711, place),
            first_seen_on=now - DAY * (place % 30) - HOUR,
            last_seen_on=now - HOUR * (place % 40),
            count=HOURS * 3,
        )
        for place in range(GROUPS)
    )
    first = now.replace(minute=0, second=0, microsecond=0)
    ErrorGroupHour.objects.bulk_create(
        (
            ErrorGroupHour(
                group=group,
                begins_on=first - HOUR * hours,
                version_id=held.VERSIONS[-1 - hours // 36],
                count=3,
                last_seen_on=first - HOUR * hours,
            )
            for group in groups
            for hours in range(HOURS)
        ),
        batch_size=AT_ONCE,
    )
    of_workflow: defaultdict[int, list[int]] = defaultdict(list)
    for group in groups:
        of_workflow[group.workflow_id].append(group.pk)
    _assign(of_workflow, chance)


def _assign(of_workflow: dict[int, list[int]], chance: random.Random) -> None:
    """Puts errored instances into the groups of their workflow."""
    errored = Instance.objects.filter(status="errored", workflow__in=of_workflow)
    told = []
    for pk, workflow in errored.values_list("pk", "workflow").order_by("pk"):
        if pk % UNREAD:
            weights = list(accumulate(1 / n for n in range(1, len(of_workflow[workflow]) + 1)))
            told.append((chance.choices(of_workflow[workflow], cum_weights=weights)[0], pk))
    with connection.cursor() as cursor:
        statement = (
            "UPDATE dashboard_instance SET error_group_id = %s, phase = 'errored', "
            "current_step = 'charge-card' WHERE id = %s"
        )
        cursor.executemany(statement, told)
        cursor.execute(
            "UPDATE dashboard_instance SET read_at = NULL "
            "WHERE status = 'errored' AND error_group_id IS NULL"
        )


def _periods(now: datetime) -> float:
    """Counts what happened, from the rows as after an upgrade; how many seconds that took."""
    newest = Instance.objects.order_by("-pk").values_list("pk", flat=True)[0]
    UncountedPast.objects.create(began_at=now, last_pk=newest)
    began = time.perf_counter()
    count_past(now=now, is_time_up=lambda: False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
