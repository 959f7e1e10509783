"""Asking Cloudflare for what a person wants, exactly once, and keeping what it answered."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import CloudflareError
from dashboard.models import Item, Operation, User, Workflow
from dashboard.models.operation import Kind, State
from dashboard.models.storing import storable_json
from dashboard.operations.following import look
from dashboard.operations.sending import (
    LONGEST_SENDING,
    WATCH,
    Clock,
    record_answer,
    record_error,
    send,
    settle,
)

#: How many new instances somebody waits to see; the others are followed while they read on.
LOOKS_AT_ONCE = 5


@dataclass(frozen=True)
class Wanted:
    """What a person asked for. `key` is the form's own: the same form twice is one operation.

    `seen_generation`: the generation of the instance on the page that was acted on, None when the
    page did not say.
    """

    kind: Kind
    user: User
    key: uuid.UUID
    reason: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    seen_generation: int | None = None


def perform(
    client: Client, workflow: Workflow, instance_id: str, wanted: Wanted, *, clock: Clock
) -> Operation:
    """Does one action on one instance, once, and returns what is known of it right afterwards.

    The instance is read again first, since its state may have changed since the page was loaded.
    Never raises CloudflareError: what failed stands in the item's `note`. Raises NotKept, and sends
    nothing, when a restart would erase what could not be kept and was not asked for all the same.
    """
    operation, is_new = _begin(workflow, [instance_id], wanted, clock())
    if not is_new:
        return operation
    item = operation.items.get()
    try:
        send(client, item, wanted.arguments, clock=clock)
    except CloudflareError as error:
        settle(item, State.FAILED, f"Nothing was sent. {error}", clock(), error)
    if not item.is_settled:
        look(client, item, now=clock())
    return operation


def create(
    client: Client,
    workflow: Workflow,
    new: Sequence[types.NewInstance],
    wanted: Wanted,
    *,
    clock: Clock,
) -> Operation:
    """Creates instances, each under an id of our own, so that a lost answer can be cleared up.

    Cloudflare skips those of a batch whose id exists; they end as skipped here.
    """
    operation, is_new = _begin(workflow, [one.id for one in new], wanted, clock())
    if not is_new:
        return operation
    items = {item.instance_id: item for item in operation.items.all()}
    is_batch = len(new) > 1 and client.target.has_batch
    groups = [list(new)] if is_batch else [[one] for one in new]
    for group in groups:
        _create_group(client, workflow, group, [items[one.id] for one in group], clock)
    for item in operation.items.unsettled()[:LOOKS_AT_ONCE]:
        look(client, item, now=clock())
    return operation


def _create_group(
    client: Client,
    workflow: Workflow,
    group: list[types.NewInstance],
    items: list[Item],
    clock: Clock,
) -> None:
    for item in items:
        item.write(sent_at=clock())
    try:
        if len(group) == 1:
            created = [client.create_instance(workflow.name, group[0])]
        else:
            created = client.create_instances(workflow.name, group)
    except CloudflareError as error:
        for item in items:
            record_error(item, error, clock())
        return
    answers = {told.id: told.raw for told in created}
    for item in items:
        if item.instance_id in answers:
            record_answer(item, answers[item.instance_id], clock())
        else:
            note = "Cloudflare skipped it: an instance with this id exists."
            settle(item, State.SKIPPED, note, clock())


def _begin(
    workflow: Workflow, instance_ids: list[str], wanted: Wanted, now: datetime
) -> tuple[Operation, bool]:
    """Writes down what is wanted before anything is sent; False when this form was sent before."""
    try:
        with transaction.atomic():
            operation = Operation.objects.create(
                key=wanted.key,
                kind=wanted.kind,
                workflow=workflow,
                arguments=storable_json(wanted.arguments),
                reason=wanted.reason,
                requested_by=wanted.user,
                requested_at=now,
            )
            Item.objects.bulk_create(
                Item(
                    operation=operation,
                    workflow=workflow,
                    instance_id=instance_id,
                    seen_generation=wanted.seen_generation,
                    next_look_at=now + LONGEST_SENDING,
                    watched_until=now + WATCH,
                )
                for instance_id in instance_ids
            )
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    return operation, True
