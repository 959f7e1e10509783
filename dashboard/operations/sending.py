"""One request for one instance: read again, written down, sent once, its answer kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import override

from dashboard import evidence
from dashboard.cloudflare import Client, types
from dashboard.cloudflare.errors import (
    CloudflareError,
    Conflict,
    Failed,
    NotFound,
    RateLimited,
    UnexpectedResponse,
    Unreachable,
    Unsupported,
)
from dashboard.models import Instance, Item, Operation, Why
from dashboard.models.operation import Kind, Stage, State
from dashboard.models.storing import storable_json
from dashboard.operations import outcome
from dashboard.operations.allowed import refusal
from dashboard.sync import read_instance

Clock = Callable[[], datetime]

#: How long an operation is followed before it is said that its end was never seen. A pause waits
#: for the step in flight, which may take hours.
WATCH = timedelta(hours=24)
#: Of many, some gather before they are looked at, so that one page of a list tells of them all.
LOOKED_AT_TOGETHER = timedelta(seconds=15)
#: How long the instance is watched when Cloudflare's answer was lost.
WATCH_LOST = timedelta(minutes=2)
#: After this, who was sending has crashed.
LONGEST_SENDING = timedelta(minutes=1)


def send(client: Client, item: Item, arguments: dict[str, Any], *, clock: Clock) -> None:
    """Reads the instance again, and asks Cloudflare for what the item's operation wants, once.

    `arguments` are the operation's, as they were typed. Raises CloudflareError when it could not be
    read, and for an item of many also when it is certain that nothing left: then nothing was sent,
    and the item is as it was before. Raises NotKept, and has settled the item, when a restart would
    erase what could not be kept and was not asked for all the same.
    """
    row = read_instance(client, item.workflow, item.instance_id, now=clock())
    # Rows are written in one language, whoever asks.
    with override(settings.LANGUAGE_CODE):
        why_not = _refusal(row, item)
    if why_not:
        settle(item, State.SKIPPED, f"Nothing was sent. {why_not}", clock())
        return
    _keep_evidence(client, row, item, arguments, clock())
    if not _claim(item, outcome.facts_before(row, row.last_detail), clock()):
        return
    try:
        answer = _ask(client, item, arguments)
    except CloudflareError as error:
        if item.operation.is_bulk and has_stayed_here(error):
            item.write(state=State.PENDING, sent_at=None)
            raise
        record_error(item, error, clock())
    else:
        record_answer(item, answer, clock())


def record_answer(item: Item, answer: dict[str, Any], now: datetime) -> None:
    """Cloudflare took it; whether it happens is still to be seen."""
    first_look = now + LOOKED_AT_TOGETHER if item.operation.is_bulk else now
    item.write(
        state=State.ACCEPTED,
        answer=storable_json(answer),
        answered_at=now,
        note="Cloudflare accepted it.",
        next_look_at=first_look,
        watched_until=now + WATCH,
    )


def record_error(item: Item, error: CloudflareError, now: datetime) -> None:
    """A refusal settles the item. Where Cloudflare may have acted all the same, it is watched."""
    if isinstance(error, Conflict):
        settle(item, State.FAILED, f"Cloudflare refused: {error}", now, error)
    elif error.was_sent and isinstance(error, (Unreachable, Failed, UnexpectedResponse)):
        item.write(
            state=State.LOST,
            note=f"{error} Whether Cloudflare acted is not known; the instance is being watched. "
            "It is not sent again.",
            http_status=error.http_status,
            code=error.code,
            next_look_at=now,
            watched_until=now + WATCH_LOST,
        )
    elif isinstance(error, (NotFound, Unsupported)) or error.was_sent:
        settle(item, State.FAILED, str(error), now, error)
    else:
        settle(item, State.FAILED, f"Nothing was sent. {error}", now, error)


def settle(
    item: Item, state: State, note: str, now: datetime, error: CloudflareError | None = None
) -> None:
    """Writes how it ended, which stays so."""
    told: dict[str, Any] = {}
    if error is not None:
        told = {"http_status": error.http_status, "code": error.code}
        told["answered_at"] = now if error.http_status else None
    item.write(state=state, note=note, settled_at=now, **told)


def _refusal(row: Instance, item: Item) -> str:
    if item.seen_generation is not None and row.generation != item.seen_generation:
        return (
            "The instance was restarted after the page that you acted on was loaded; "
            "look at it again first."
        )
    return refusal(Kind(item.operation.kind), row.status, is_expired=bool(row.expired_at))


def _keep_evidence(
    client: Client, row: Instance, item: Item, arguments: dict[str, Any], now: datetime
) -> None:
    """Keeps what a restart erases. Of many, one whose outputs cannot be had now waits for them."""
    if item.operation.kind != Kind.RESTART:
        return
    try:
        evidence.keep_whole(client, row, Why.RESTART, now=now)
    except evidence.NotKept as cause:
        if item.operation.is_bulk and isinstance(cause.__cause__, RateLimited | Unreachable):
            raise cause.__cause__ from cause
        if not arguments.get("without_evidence"):
            settle(item, State.FAILED, f"Nothing was sent. {cause}", now)
            raise


def _claim(item: Item, before: dict[str, Any], now: datetime) -> bool:
    """Writes down, before anything leaves, that it is sent now. True for one caller ever, and only
    while nobody has stopped the operation."""
    # Not looked at before an answer can have come: who looks takes it for one that a crash left.
    fields = {"before": before, "sent_at": now, "next_look_at": now + LONGEST_SENDING}
    claimed = Item.objects.filter(
        pk=item.pk, sent_at=None, state__in=(State.PENDING, State.SENDING)
    )
    if item.operation.is_bulk:
        # Not by a join: PostgreSQL would look for the row in a subquery, which it does not ask
        # again once it has waited for whoever claims the same row.
        running = Operation.objects.filter(pk=OuterRef("operation"), stage=Stage.RUNNING)
        claimed = claimed.filter(Exists(running))
    if not claimed.update(state=State.SENDING, **fields):
        return False
    item.refresh_from_db(fields=["state", *fields])
    return True


def _ask(client: Client, item: Item, arguments: dict[str, Any]) -> dict[str, Any]:
    kind = Kind(item.operation.kind)
    name, instance_id = item.workflow.name, item.instance_id
    if kind is Kind.SEND_EVENT:
        return client.send_instance_event(
            name, instance_id, arguments["event_type"], arguments.get("payload")
        )
    if kind is Kind.DELETE:
        told = client.delete_instances(name, [instance_id])
        if words := told.errors.get(instance_id):
            raise Conflict(words)
        return {"deleted": list(told.deleted)}
    start = arguments.get("from")
    return client.change_instance_status(
        name,
        instance_id,
        types.Action(kind.value),
        rollback=bool(arguments.get("rollback")),
        restart_from=types.RestartFrom(
            start["name"], start.get("count"), types.RestartType(start["type"])
        )
        if start
        else None,
    ).raw


def has_stayed_here(error: CloudflareError) -> bool:
    """True when it is certain that nothing left, and trying later may help."""
    return not error.was_sent and isinstance(error, (RateLimited, Unreachable))
