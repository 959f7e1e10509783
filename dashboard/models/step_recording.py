"""Writing down what step events told: each stretch of time once, whatever is read twice.

Events have no id, two equal ones may be two events, and a sampled answer need not be the same when
it is asked for again. So no event is ever compared with another: what is told apart are stretches
of time. A stretch leaves the unread ones in the very transaction that counts its events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db import transaction

from dashboard.cloudflare import EventType, WorkflowEvent
from dashboard.cloudflare.types import base_name
from dashboard.models.account import Account
from dashboard.models.durations import rounded
from dashboard.models.instance import Instance
from dashboard.models.step_history import FailedAttempt, StepFeed, StepHour, UnreadStretch
from dashboard.models.storing import LARGEST, fits, storable_facts
from dashboard.models.workflow import Workflow

#: Names of one workflow that are kept apart in one hour: some authors write an id into each name.
MOST_NAMES = 100
#: Failed attempts of one step that are kept of one stretch, the newest.
MOST_FAILURES = 50
#: What no name is left for.
OTHERS = ""
IDS_PER_QUERY = 500
COUNTED = [
    "succeeded", "failed", "failed_attempts", "durations", "last_failed_on", "last_failed_in",
]  # fmt: skip


class Place(NamedTuple):
    """Where an event is counted."""

    begins_on: datetime
    step_name: str
    version_id: str


def lay_out(account: Account, *, oldest: datetime, until: datetime) -> None:
    """Adds what has passed since the last time to the unread stretches; forgets what is older than
    `oldest`, for Cloudflare does not have it any more."""
    with transaction.atomic():
        feed = StepFeed.objects.select_for_update().get(account=account)
        stretches = account.unread_stretches
        stretches.filter(until__lte=oldest).delete()
        stretches.filter(since__lt=oldest).update(since=oldest)
        since = max(feed.laid_through or oldest, oldest)
        if until <= since:
            return
        if not stretches.filter(until=since).update(until=until):
            stretches.create(since=since, until=until)
        StepFeed.objects.filter(pk=feed.pk).update(laid_through=until)


def record_stretch(
    stretch: UnreadStretch, since: datetime, until: datetime, events: Sequence[WorkflowEvent]
) -> bool:
    """Counts the events of a part of an unread stretch, and takes that part out of it.

    False, with nothing written, when somebody else has changed the stretch in the meantime.
    """
    with transaction.atomic():
        # Nobody else counts at the same time: what is added to is read first.
        StepFeed.objects.select_for_update().get(account=stretch.account_id)
        same = UnreadStretch.objects.filter(pk=stretch.pk, since=stretch.since, until=stretch.until)
        if not same.update(until=since):
            return False
        UnreadStretch.objects.filter(pk=stretch.pk, since=since).delete()
        if until < stretch.until:
            UnreadStretch.objects.create(
                account_id=stretch.account_id, since=until, until=stretch.until
            )
        for workflow, told in _by_workflow(stretch.account_id, events):
            _count(workflow, told)
            _keep_failures(workflow, told)
    return True


def _by_workflow(
    account_pk: int, events: Iterable[WorkflowEvent]
) -> Iterator[tuple[Workflow, list[WorkflowEvent]]]:
    """Events of workflows that are not known here belong to nobody."""
    told: defaultdict[str, list[WorkflowEvent]] = defaultdict(list)
    for event in events:
        told[event.workflow_name].append(event)
    for workflow in Workflow.objects.present().filter(account=account_pk).order_by("pk"):
        if workflow.name in told:
            yield workflow, told[workflow.name]


def _count(workflow: Workflow, events: list[WorkflowEvent]) -> None:
    versions = _versions(workflow, {event.instance_id for event in events})
    hours = {_hour(event) for event in events}
    rows = {
        Place(row.begins_on, row.step_name, row.version_id): row
        for row in StepHour.objects.filter(workflow=workflow, begins_on__in=hours)
    }
    names: defaultdict[datetime, set[str]] = defaultdict(set)
    for place in rows:
        names[place.begins_on].add(place.step_name)
    for event in events:
        hour, name = _hour(event), _step_name(event)
        known = names[hour]
        if name not in known and len(known - {OTHERS}) >= MOST_NAMES:
            name = OTHERS
        known.add(name)
        place = Place(hour, name, versions.get(event.instance_id, ""))
        if place not in rows:
            rows[place] = StepHour(workflow=workflow, **place._asdict())
        _add(rows[place], event)
    StepHour.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["workflow", *Place._fields],
        update_fields=COUNTED,
    )


def _add(row: StepHour, event: WorkflowEvent) -> None:
    if event.kind == EventType.STEP_SUCCESS:
        row.succeeded += 1
        if event.wall_time_ms is not None and event.wall_time_ms >= 0:
            took = str(rounded(min(event.wall_time_ms, LARGEST)))
            row.durations[took] = row.durations.get(took, 0) + 1
    elif event.kind == EventType.STEP_FAILURE:
        row.failed += 1
    else:
        row.failed_attempts += 1
        if fits(StepHour, "last_failed_in", event.instance_id) and (
            row.last_failed_on is None or row.last_failed_on <= event.at
        ):
            row.last_failed_on, row.last_failed_in = event.at, event.instance_id


def _keep_failures(workflow: Workflow, events: list[WorkflowEvent]) -> None:
    kept: Counter[str] = Counter()
    rows = []
    for event in sorted(events, key=lambda one: one.at, reverse=True):
        name = _step_name(event)
        if event.kind != EventType.ATTEMPT_FAILURE or kept[name] == MOST_FAILURES:
            continue
        if fits(FailedAttempt, "instance_id", event.instance_id):
            kept[name] += 1
            facts = {
                "step_name": name,
                "instance_id": event.instance_id,
                "failed_on": event.at,
                "duration_ms": event.wall_time_ms,
            }
            rows.append(FailedAttempt(workflow=workflow, **storable_facts(FailedAttempt, facts)))
    FailedAttempt.objects.bulk_create(rows, batch_size=IDS_PER_QUERY)


def _versions(workflow: Workflow, instance_ids: set[str]) -> dict[str, str]:
    """The versions of those instances that are known here: events do not tell them."""
    ids = iter([one for one in instance_ids if fits(Instance, "instance_id", one)])
    found: dict[str, str] = {}
    while part := list(islice(ids, IDS_PER_QUERY)):
        rows = workflow.instances.filter(instance_id__in=part)
        found.update(rows.values_list("instance_id", "version_id"))
    return found


def _hour(event: WorkflowEvent) -> datetime:
    return event.at.replace(minute=0, second=0, microsecond=0)


def _step_name(event: WorkflowEvent) -> str:
    name: str = storable_facts(StepHour, {"step_name": base_name(event.step_name)})["step_name"]
    return name
