"""A batch of new instances, written down from a text: nothing is sent before somebody says yes.

That is done within the request that brought the text, for only it has it. A process that dies on
the way leaves what cannot be completed; then whoever works on operations ends it.
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

from dashboard.models import Instance, Item, Operation, StageChange, User, Workflow
from dashboard.models.operation import Kind, Stage, State
from dashboard.models.storing import storable, storable_json
from dashboard.operations.performing import Wanted
from dashboard.operations.sending import Clock
from dashboard.operations.steering import stop

#: Written at once, so that nobody else waits long for the database.
PIECE = 1000
#: Nobody takes so long for a piece: whoever was not heard of since then is gone.
LEASE = timedelta(minutes=2)
#: The first alone, then some: what cannot be is found out before there are hundreds of it.
WAVES = (1, 25)
KNOWN = "An instance with this id is known here; as long as Cloudflare has it, it skips this one."
DISCARDED = "Nothing was sent. It was discarded while it was written down."
NOT_WHOLE = "Nothing was sent. The batch was not written down whole."
CUT_OFF = (
    "The process that wrote it down ended in the middle, so it is not whole. Nothing was sent; "
    "give the text once more to create them."
)
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


def propose(
    workflow: Workflow,
    new: Iterable[New],
    wanted: Wanted,
    *,
    clock: Clock,
    retry_of: Operation | None = None,
) -> tuple[Operation, bool]:
    """Writes down many new instances, and sends nothing: somebody looks at them and says yes.

    The second value is False when this form had been sent before.
    """
    try:
        with transaction.atomic():
            operation = _begin_reading(workflow, wanted, clock(), retry_of)
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    wave_of = _waves()
    rest = iter(new)
    summary = {"number": 0, "made_up": 0, "known": 0}
    while piece := list(itertools.islice(rest, PIECE)):
        if not _hold(operation, clock()):
            break
        known = _known(workflow, piece)
        with transaction.atomic(), database.cursor() as cursor:
            cursor.executemany(
                INSERT, [_values(operation, one, next(wave_of), known) for one in piece]
            )
        summary["number"] += len(piece)
        summary["made_up"] += sum(not one.has_own_id for one in piece)
        summary["known"] += len(known)
    told: dict[str, Any] = {"leased_until": None, "next_run_at": None}
    told["arguments"] = operation.arguments | summary
    if operation.move(Stage.PROPOSED, now=clock(), **told):
        operation.arguments = told["arguments"]
    else:
        # Somebody discarded it while it was written down.
        operation.items.pending().order_by().update(
            state=State.SKIPPED, note=DISCARDED, settled_at=clock()
        )
    return operation, True


def end_cut_off(operation: Operation, *, now: datetime) -> None:
    """Stops a batch that nobody writes down any more, and says so."""
    with transaction.atomic():
        unfinished = Operation.objects.select_for_update().filter(stage=Stage.READING)
        if unfinished.filter(pk=operation.pk).first():
            stop(operation, now=now, note=CUT_OFF, of_each=NOT_WHOLE)


def propose_failed(operation: Operation, user: User, *, clock: Clock) -> Operation:
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
    return propose(workflow, new, wanted, clock=clock, retry_of=operation)[0]


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
        token_name=wanted.user.token_name,
        requested_at=now,
        is_bulk=True,
        retry_of=retry_of,
        stage=Stage.READING,
        note="Nothing has been sent, and nothing will be before somebody has seen them all.",
        leased_until=now + LEASE,
        next_run_at=now + LEASE,
    )
    StageChange.objects.create(
        operation=operation,
        stage=Stage.READING,
        changed_by=wanted.user,
        token_name=wanted.user.token_name,
        changed_at=now,
    )
    return operation


def _hold(operation: Operation, now: datetime) -> bool:
    """Says that somebody still writes it down; False when it is not to be any more."""
    reading = Operation.objects.filter(pk=operation.pk, stage=Stage.READING)
    return reading.update(leased_until=now + LEASE, next_run_at=now + LEASE) == 1


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
