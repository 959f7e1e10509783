"""Asking Cloudflare for what a person wants, exactly once, and keeping what it answered."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import CloudflareError
from dashboard.models import Item, Operation, User, Workflow
from dashboard.models.operation import Kind, State
from dashboard.models.storing import storable_json
from dashboard.operations.following import look
from dashboard.operations.sending import (
    LONGEST_SENDING,
    WATCH,
    Clock,
    send,
    settle,
)


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
    operation, is_new = write_down(workflow, instance_id, wanted, clock())
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


def write_down(
    workflow: Workflow, instance_id: str, wanted: Wanted, now: datetime
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
                token_name=wanted.user.token_name,
                requested_at=now,
            )
            Item.objects.create(
                operation=operation,
                workflow=workflow,
                instance_id=instance_id,
                seen_generation=wanted.seen_generation,
                next_look_at=now + LONGEST_SENDING,
                watched_until=now + WATCH,
            )
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    return operation, True
