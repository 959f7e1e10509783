"""New instances: one at once, or many that are written down, shown, and then sent in hundreds.

Each has an id of our own before anything is sent, so that a lost answer can be cleared up.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Exists, OuterRef

from dashboard import connection
from dashboard.cloudflare import Client, types
from dashboard.cloudflare.bodies import BATCH_SIZE
from dashboard.cloudflare.errors import CloudflareError, Conflict
from dashboard.cloudflare.targets import Target
from dashboard.models import Instance, Item, Operation, StageChange, User, Workflow
from dashboard.models.operation import Kind, Stage, State
from dashboard.models.storing import storable, storable_json
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

#: Written at once, so that nobody else waits long for the database.
PIECE = 1000
#: The first alone, then some: what cannot be is found out before there are hundreds of it.
WAVES = (1, 25)
EXISTS = "Cloudflare skipped it: an instance with this id exists."
KNOWN = "An instance with this id is known here; as long as Cloudflare has it, it skips this one."
DISCARDED = "Nothing was sent. It was discarded while it was written down."
INSERT = (
    "INSERT INTO dashboard_item (operation_id, workflow_id, instance_id, wave, state, arguments, "
    "note, before, seen) VALUES (%s, %s, %s, %s, 'pending', %s, %s, '{}', '{}')"
)


@dataclass(frozen=True)
class New:
    """One of many: what to create, what is kept of that, and whether its id was made up here."""

    instance_id: str
    arguments: dict[str, Any]
    has_own_id: bool


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


def propose(
    workflow: Workflow,
    new: Iterable[New],
    wanted: Wanted,
    *,
    now: datetime,
    retry_of: Operation | None = None,
) -> tuple[Operation, bool]:
    """Writes down many new instances, and sends nothing: somebody looks at them and says yes.

    The second value is False when this form had been sent before.
    """
    try:
        with transaction.atomic():
            operation = _begin_reading(workflow, wanted, now, retry_of)
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    wave_of = _waves()
    rest = iter(new)
    summary = {"number": 0, "made_up": 0, "known": 0}
    while piece := list(itertools.islice(rest, PIECE)):
        known = _known(workflow, piece)
        with transaction.atomic(), database.cursor() as cursor:
            cursor.executemany(
                INSERT, [_values(operation, one, next(wave_of), known) for one in piece]
            )
        summary["number"] += len(piece)
        summary["made_up"] += sum(not one.has_own_id for one in piece)
        summary["known"] += len(known)
    operation.arguments |= summary
    if not operation.move(Stage.PROPOSED, now=now, arguments=operation.arguments):
        # Somebody discarded it while it was written down.
        operation.items.pending().order_by().update(
            state=State.SKIPPED, note=DISCARDED, settled_at=now
        )
    return operation, True


def propose_failed(operation: Operation, user: User, *, now: datetime) -> Operation:
    """Writes down anew those of a batch that failed, under the same ids: one that exists by now
    will be skipped."""
    failed = operation.items.filter(state=State.FAILED).order_by("pk")
    new = (
        New(instance_id, arguments or {}, has_own_id=True)
        for instance_id, arguments in failed.values_list("instance_id", "arguments").iterator()
    )
    workflow = operation.workflow
    if workflow is None:
        raise ValueError("A batch is of one workflow.")
    given = {name: text for name, text in operation.arguments.items() if name == "source"}
    wanted = Wanted(Kind.CREATE, user, uuid.uuid4(), operation.reason, given)
    return propose(workflow, new, wanted, now=now, retry_of=operation)[0]


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


def _begin_reading(
    workflow: Workflow, wanted: Wanted, now: datetime, retry_of: Operation | None
) -> Operation:
    operation = Operation.objects.create(
        key=wanted.key,
        kind=wanted.kind,
        workflow=workflow,
        arguments=storable_json(wanted.arguments),
        reason=storable(wanted.reason),
        requested_by=wanted.user,
        requested_at=now,
        is_bulk=True,
        retry_of=retry_of,
        stage=Stage.READING,
        note="Nothing has been sent, and nothing will be before somebody has seen them all.",
    )
    StageChange.objects.create(
        operation=operation, stage=Stage.READING, changed_by=wanted.user, changed_at=now
    )
    return operation


def _known(workflow: Workflow, piece: Sequence[New]) -> set[str]:
    """Which of their ids an instance has that Cloudflare still holds, for all that is known."""
    ids = [one.instance_id for one in piece if one.has_own_id]
    if not ids:
        return set()
    held = Instance.objects.filter(workflow=workflow, instance_id__in=ids, expired_at=None)
    return set(held.values_list("instance_id", flat=True))


def _values(operation: Operation, one: New, wave: int, known: set[str]) -> tuple[Any, ...]:
    pk = Item._meta.get_field("operation").get_db_prep_save(operation.pk, database)
    note = KNOWN if one.instance_id in known else ""
    arguments = json.dumps(one.arguments)
    return pk, operation.workflow_id, one.instance_id, wave, arguments, note


def _waves() -> Iterator[int]:
    """The wave of the first, of the second, and so on; the last wave never ends."""
    for number, size in enumerate(WAVES, start=1):
        yield from itertools.repeat(number, size)
    yield from itertools.repeat(len(WAVES) + 1)


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
