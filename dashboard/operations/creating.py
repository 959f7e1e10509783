"""New instances: one at once, or those of a batch in hundreds, once somebody has said yes to it.

Each has an id of our own before anything is sent, so that a lost answer can be cleared up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from dashboard import connection
from dashboard.cloudflare import Client, types
from dashboard.cloudflare.bodies import BATCH_SIZE
from dashboard.cloudflare.errors import CloudflareError, Conflict
from dashboard.cloudflare.targets import Target
from dashboard.models import Item, Operation, Workflow
from dashboard.models.operation import Stage, State
from dashboard.operations import planning
from dashboard.operations.following import look
from dashboard.operations.performing import Wanted, write_down
from dashboard.operations.sending import (
    LONGEST_SENDING,
    Clock,
    has_stayed_here,
    record_answer,
    record_error,
    settle,
)

EXISTS = "Cloudflare skipped it: an instance with this id exists."


def create(
    client: Client, workflow: Workflow, new: types.NewInstance, wanted: Wanted, *, clock: Clock
) -> Operation:
    """Creates one instance, once, and returns what is known of it right afterwards.

    Never raises CloudflareError: what failed stands in the item's `note`.
    """
    operation, is_new = write_down(workflow, new.id, wanted, clock())
    if not is_new:
        return operation
    item = operation.items.get()
    now = clock()
    item.write(sent_at=now, before={"sent_on": now.isoformat()})
    try:
        told = client.create_instance(workflow.name, new)
    except CloudflareError as error:
        record_error(item, error, clock())
    else:
        record_answer(item, told.raw, clock())
    if not item.is_settled:
        look(client, item, now=clock())
    return operation


def create_some(client: Client, workflow: Workflow, items: Sequence[Item], *, clock: Clock) -> bool:
    """Asks Cloudflare for these of many, once, in one request; each item tells what became of it.

    False when they are not to be sent any more, or somebody else does. Raises CloudflareError when
    it is certain that nothing left and trying later may help: then they are as they were before.
    """
    if not _claim(items, clock()):
        return False
    new = [_new_instance(item) for item in items]
    try:
        if client.target.has_batch:
            created = client.create_instances(workflow.name, new)
        else:
            created = [client.create_instance(workflow.name, one) for one in new]
    except CloudflareError as error:
        if has_stayed_here(error):
            for item in items:
                item.write(state=State.PENDING, sent_at=None)
            raise
        _record_error(items, error, clock())
        return True
    _compare(items, {told.id: told.raw for told in created}, clock())
    return True


def batch_size(target: Target) -> int:
    """How many are asked for in one request."""
    return BATCH_SIZE if target.has_batch else 1


def cost(workflow: Workflow, number: int) -> tuple[int, timedelta | None]:
    """The requests that so many new instances take, and for how long at least, under the present
    budget; None when that is not known."""
    account_id = workflow.account.account_id
    try:
        size = batch_size(connection.account_setting(account_id).target)
    except connection.UnknownAccount:
        return 0, None
    groups = -(-number // size)
    seconds = planning.seconds({account_id: 2 * groups})
    at_least = timedelta(seconds=groups * (size > 1))
    return 2 * groups, None if seconds is None else max(at_least, timedelta(seconds=seconds))


def _claim(items: Sequence[Item], now: datetime) -> bool:
    """Writes down, before anything leaves, that these are sent now: all of them or none. True for
    one caller ever, and only while nobody has stopped the operation."""
    fields: dict[str, Any] = {
        "sent_at": now,
        "next_look_at": now + LONGEST_SENDING,
        "before": {"sent_on": now.isoformat()},
    }
    is_running = Operation.objects.filter(pk=OuterRef("operation"), stage=Stage.RUNNING)
    with transaction.atomic():
        mine = Item.objects.filter(
            Exists(is_running), pk__in=[item.pk for item in items], state=State.PENDING
        )
        is_mine = mine.update(state=State.SENDING, **fields) == len(items)
        transaction.set_rollback(not is_mine)
    if is_mine:
        for item in items:
            item.state = State.SENDING
            for name, value in fields.items():
                setattr(item, name, value)
    return is_mine


def _new_instance(item: Item) -> types.NewInstance:
    given = item.arguments or {}
    return types.NewInstance(
        id=item.instance_id,
        params=given.get("params"),
        success_retention=given.get("success_retention"),
        error_retention=given.get("error_retention"),
        location_hint=given.get("location_hint", ""),
    )


def _compare(items: Sequence[Item], answers: dict[str, dict[str, Any]], now: datetime) -> None:
    """Cloudflare skips ids that exist without a word: those are missing from its answer."""
    with transaction.atomic():
        for item in items:
            if item.instance_id in answers:
                record_answer(item, answers[item.instance_id], now)
            else:
                settle(item, State.SKIPPED, EXISTS, now)


def _record_error(items: Sequence[Item], error: CloudflareError, now: datetime) -> None:
    with transaction.atomic():
        for item in items:
            if isinstance(error, Conflict):
                settle(item, State.SKIPPED, EXISTS, now, error)
            else:
                record_error(item, error, now)
