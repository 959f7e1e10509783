"""Asking Cloudflare for what a person wants, exactly once, and keeping what it answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import (
    CloudflareError,
    Conflict,
    Failed,
    NotFound,
    UnexpectedResponse,
    Unreachable,
    Unsupported,
)
from dashboard.models import Instance, Item, Operation, User, Workflow
from dashboard.models.operation import Kind, State
from dashboard.models.storing import storable_json
from dashboard.operations import outcome
from dashboard.operations.allowed import refusal
from dashboard.operations.following import look
from dashboard.sync import read_instance

Clock = Callable[[], datetime]

#: How long an operation is followed before it is said that its end was never seen. A pause waits
#: for the step in flight, which may take hours.
WATCH = timedelta(hours=24)
#: How long the instance is watched when Cloudflare's answer was lost.
WATCH_LOST = timedelta(minutes=2)
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
    Never raises CloudflareError: what failed stands in the item's `note`.
    """
    operation, is_new = _begin(workflow, [instance_id], wanted, clock())
    if not is_new:
        return operation
    item = operation.items.get()
    try:
        row = read_instance(client, workflow, instance_id, now=clock())
    except CloudflareError as error:
        _settle(item, State.FAILED, f"Nothing was sent. {error}", clock(), error)
        return operation
    if why_not := _refusal(row, wanted):
        _settle(item, State.SKIPPED, f"Nothing was sent. {why_not}", clock())
        return operation
    item.before = outcome.facts_before(row, row.last_detail)
    item.sent_at = clock()
    item.save()
    try:
        answer = _send(client, workflow, instance_id, wanted)
    except CloudflareError as error:
        _record_error(item, error, clock())
    else:
        _record_answer(item, answer, clock())
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
        item.sent_at = clock()
        item.save(update_fields=["sent_at"])
    try:
        if len(group) == 1:
            created = [client.create_instance(workflow.name, group[0])]
        else:
            created = client.create_instances(workflow.name, group)
    except CloudflareError as error:
        for item in items:
            _record_error(item, error, clock())
        return
    answers = {told.id: told.raw for told in created}
    for item in items:
        if item.instance_id in answers:
            _record_answer(item, answers[item.instance_id], clock())
        else:
            note = "Cloudflare skipped it: an instance with this id exists."
            _settle(item, State.SKIPPED, note, clock())


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
                    instance_id=instance_id,
                    next_look_at=now + timedelta(minutes=1),
                    watched_until=now + WATCH,
                )
                for instance_id in instance_ids
            )
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    return operation, True


def _refusal(row: Instance, wanted: Wanted) -> str:
    if wanted.seen_generation is not None and row.generation != wanted.seen_generation:
        return (
            "The instance was restarted after the page that you acted on was loaded; "
            "look at it again first."
        )
    return refusal(wanted.kind, row.status, is_expired=bool(row.expired_at))


def _send(client: Client, workflow: Workflow, instance_id: str, wanted: Wanted) -> dict[str, Any]:
    arguments = wanted.arguments
    if wanted.kind is Kind.SEND_EVENT:
        return client.send_instance_event(
            workflow.name, instance_id, arguments["event_type"], arguments.get("payload")
        )
    start = arguments.get("from")
    return client.change_instance_status(
        workflow.name,
        instance_id,
        types.Action(wanted.kind.value),
        rollback=bool(arguments.get("rollback")),
        restart_from=types.RestartFrom(
            start["name"], start.get("count"), types.RestartType(start["type"])
        )
        if start
        else None,
    ).raw


def _record_answer(item: Item, answer: dict[str, Any], now: datetime) -> None:
    item.state = State.ACCEPTED
    item.answer = storable_json(answer)
    item.answered_at = now
    item.note = "Cloudflare accepted it."
    item.next_look_at = now
    item.save()


def _record_error(item: Item, error: CloudflareError, now: datetime) -> None:
    """A refusal settles the item. Where Cloudflare may have acted all the same, it is watched."""
    if isinstance(error, Conflict):
        _settle(item, State.FAILED, f"Cloudflare refused: {error}", now, error)
    elif error.was_sent and isinstance(error, (Unreachable, Failed, UnexpectedResponse)):
        item.state = State.LOST
        item.note = (
            f"{error} Whether Cloudflare acted is not known; the instance is being watched. "
            "It is not sent again."
        )
        item.http_status, item.code = error.http_status, error.code
        item.next_look_at = now
        item.watched_until = now + WATCH_LOST
        item.save()
    elif isinstance(error, (NotFound, Unsupported)) or error.was_sent:
        _settle(item, State.FAILED, str(error), now, error)
    else:
        _settle(item, State.FAILED, f"Nothing was sent. {error}", now, error)


def _settle(
    item: Item, state: State, note: str, now: datetime, error: CloudflareError | None = None
) -> None:
    item.state = state
    item.note = note
    item.settled_at = now
    if error is not None:
        item.answered_at = now if error.http_status else None
        item.http_status, item.code = error.http_status, error.code
    item.save()
