"""Working out how long steps usually take, and whether the newest version does worse, one workflow
at a time, from a bounded part of what is known; and holding to that what was recorded before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from dashboard.insight.overdue import again, allowed, is_known_enough
from dashboard.models.durations import rounded
from dashboard.models.instance import Instance
from dashboard.models.normal import ALL, QUEUE, Key, Normals, StepNormal, with_totals
from dashboard.models.remaining import learn_remaining
from dashboard.models.step_figures import StepFigures, of_versions
from dashboard.models.version_comparing import compare_newest
from dashboard.models.workflow import Workflow

LEARNED_EVERY = timedelta(minutes=2)
#: What is usual is told by so long, the newest; what was not seen for so long is forgotten.
SINCE = timedelta(days=31)
#: Of the newest instances so many tell how long the queue is: it is what it was a moment ago.
NEWEST = 500
PIECE = 500
#: Rows are held anew only where the time that is allowed has changed by this part.
WORTH_IT = 0.1


def learn_normals(*, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Works out the normals that are older than LEARNED_EVERY, the oldest first, and then holds
    rows to those that have changed, until the time is up. Returns how many workflows were learned.
    """
    learned = 0
    is_due = Q(normals_at=None) | Q(normals_at__lte=now - LEARNED_EVERY)
    due = Workflow.objects.present().filter(is_due).order_by(F("normals_at").asc(nulls_first=True))
    for workflow in due:
        if is_time_up():
            return learned
        _learn(workflow, now)
        learned += 1
    for workflow in Workflow.objects.filter(normals_through__isnull=False).order_by("pk"):
        while not is_time_up() and _hold_piece(workflow):
            pass
    return learned


def _learn(workflow: Workflow, now: datetime) -> None:
    steps = of_versions(workflow, now - SINCE)
    compare_newest(workflow, steps, now)
    learn_remaining(workflow)
    new = [StepNormal.of(workflow, key, took, now) for key, took in _took(workflow, steps).items()]
    with transaction.atomic():
        before = {(one.version_id, one.step_name): one for one in workflow.normals.all()}
        StepNormal.objects.bulk_create(
            new,
            update_conflicts=True,
            unique_fields=["workflow", "step_name", "version_id"],
            update_fields=["n", "p50", "p95", "p99", "as_of"],
        )
        workflow.normals.filter(as_of__lt=now - SINCE).delete()
        facts: dict[str, object] = {"normals_at": now}
        if any(_has_changed(before.get((one.version_id, one.step_name)), one) for one in new):
            facts["normals_through"] = 0
        Workflow.objects.filter(pk=workflow.pk).update(**facts)


def _took(workflow: Workflow, steps: Mapping[Key, StepFigures]) -> dict[Key, Counter[int]]:
    """How many took so many ms, by version and step."""
    took = with_totals({key: figures.durations for key, figures in steps.items()})
    took[ALL, QUEUE] = _queued(workflow)
    return {key: counts for key, counts in took.items() if counts}


def _queued(workflow: Workflow) -> Counter[int]:
    """How many of the newest instances waited so many ms for a slot."""
    newest = workflow.instances.newest_first().values_list("created_on", "queued_on", "started_on")
    found: Counter[int] = Counter()
    for created_on, queued_on, started_on in newest[:NEWEST]:
        if started_on:
            waited = (started_on - (queued_on or created_on)).total_seconds()
            found[rounded(max(0, round(waited * 1000)))] += 1
    return found


def _has_changed(before: StepNormal | None, now: StepNormal) -> bool:
    """Whether rows have to be held to it anew."""
    if not is_known_enough(now):
        return False
    if before is None or not is_known_enough(before):
        return True
    old, new = allowed(before, None), allowed(now, None)
    return bool(old and new and abs(new - old) > WORTH_IT * old)


def _hold_piece(workflow: Workflow) -> bool:
    """Brings the next rows up to date; False when all are."""
    with transaction.atomic():
        place = Workflow.objects.select_for_update().get(pk=workflow.pk).normals_through
        if place is None:
            return False
        rows = workflow.instances.select_for_update().filter(at_work_on__isnull=False, pk__gt=place)
        piece = list(rows.order_by("pk")[:PIECE])
        normals = Normals.of_rows(piece)
        changed: defaultdict[timedelta, list[int]] = defaultdict(list)
        for row in piece:
            expected_by = again(row, normals.of_row(row))
            if expected_by != row.expected_by and expected_by and row.at_work_on:
                changed[expected_by - row.at_work_on].append(row.pk)
        for allowed_for, keys in changed.items():
            held = Instance.objects.filter(pk__in=keys)
            held.update(expected_by=F("at_work_on") + allowed_for)
        through = piece[-1].pk if len(piece) == PIECE else None
        Workflow.objects.filter(pk=workflow.pk).update(normals_through=through)
    return through is not None
