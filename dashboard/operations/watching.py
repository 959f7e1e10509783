"""Seeing what became of many instances, with as few requests as lists allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError
from dashboard.models import Instance, Item, Operation, Workflow, recording
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.operation import Kind, State
from dashboard.models.recording import Listed
from dashboard.operations.following import judge, look
from dashboard.operations.outcome import CLOCKS_DIFFER
from dashboard.operations.sending import Clock

#: From so many on, a page of a list may tell more than a read of each.
MANY = 5
#: At most so many at once; the others are due again at once.
AT_ONCE = 500
#: An instance that no list has shown for so long is read itself.
LISTS_ARE_LATE = timedelta(minutes=1)
#: The list in which an instance stands once it is done; None: its status alone does not tell.
LISTED_AS: dict[Kind, types.Status | None] = {
    Kind.PAUSE: types.Status.PAUSED,
    Kind.RESUME: None,
    Kind.RESTART: None,
    Kind.TERMINATE: types.Status.TERMINATED,
    Kind.CREATE: None,
}


def watch(
    operation: Operation, connect: Callable[[Workflow], Client | None], *, clock: Clock
) -> bool:
    """Looks at what is due of one operation on many. False when the budget had nothing left."""
    due = operation.items.unsettled().filter(next_look_at__lte=clock())
    by_workflow: dict[Workflow, list[Item]] = defaultdict(list)
    for item in due.select_related("operation", "workflow__account")[:AT_ONCE]:
        by_workflow[item.workflow].append(item)
    for workflow, items in by_workflow.items():
        client = connect(workflow)
        if client is None:
            later = clock() + LISTS_ARE_LATE
            operation.items.unsettled().filter(workflow=workflow).update(next_look_at=later)
        elif not _look_at_all(client, workflow, items, clock):
            return False
    return True


def _look_at_all(client: Client, workflow: Workflow, items: list[Item], clock: Clock) -> bool:
    listed = [item for item in items if _is_listed(client, item)]
    if len(listed) >= MANY:
        try:
            _judge_by_lists(client, workflow, listed, clock)
        except BudgetSpent:
            return False
        except CloudflareError:
            listed = []  # Each look at one of them will say what is wrong.
    else:
        listed = []
    shown = {item.pk for item in listed if not _is_late(item, clock())}
    alone = (item for item in items if item.pk not in shown and not item.is_settled)
    return all(look(client, item, now=clock()) for item in alone)


def _is_listed(client: Client, item: Item) -> bool:
    """Whether a list can show that it is done. What was lost is few, but for new ones, and read
    itself."""
    kind = Kind(item.operation.kind)
    is_shown = item.state == State.ACCEPTED or (item.state == State.LOST and kind is Kind.CREATE)
    return client.target.has_list_times and is_shown and kind in LISTED_AS


def _is_late(item: Item, now: datetime) -> bool:
    since = item.answered_at or item.sent_at
    return since is not None and now - since >= LISTS_ARE_LATE


def _judge_by_lists(
    client: Client, workflow: Workflow, items: Sequence[Item], clock: Clock
) -> None:
    """Reads the pages on which they stand into the copy, and judges each by its row.

    Raises CloudflareError.
    """
    kind = Kind(items[0].operation.kind)
    rows = Instance.objects.filter(
        workflow=workflow, instance_id__in=[item.instance_id for item in items]
    )
    created = _created_between(kind, items, rows)
    if not created:
        return
    pages = client.list_instances(
        workflow.name, status=LISTED_AS[kind], date_start=created[0], date_end=created[1]
    )
    # More pages than this would cost more than reading each.
    most = max(1, len(items) // MANY)
    asked_at = clock()
    for _, page in zip(range(most), pages, strict=False):
        recording.record_pages(
            workflow,
            [Listed(page.instances, asked_at)],
            now=clock(),
            is_list_live=client.target.is_list_live,
        )
        asked_at = clock()
    now, found = clock(), {row.instance_id: row for row in rows.all()}
    for item in items:
        if row := found.get(item.instance_id):
            judge(item, row, now=now)


def _created_between(
    kind: Kind, items: Sequence[Item], rows: InstanceQuerySet
) -> tuple[datetime, datetime] | None:
    """From when to when they were created, and a little more; None when that is not known."""
    if kind is Kind.CREATE:
        moments = [item.sent_at for item in items if item.sent_at]
        margin = CLOCKS_DIFFER
    else:
        moments, margin = list(rows.values_list("created_on", flat=True)), timedelta(seconds=1)
    return (min(moments) - margin, max(moments) + margin) if moments else None
