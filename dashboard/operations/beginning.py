"""Writing down an operation on many, once somebody has said yes to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import IntegrityError, transaction

from dashboard.models import Item, Operation, StageChange, Workflow
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.operation import Kind, Stage, State
from dashboard.models.storing import storable, storable_json
from dashboard.operations.performing import Wanted
from dashboard.operations.planning import IS_EXPIRED, refusal

#: Written at once, so that nobody else waits long for the database.
PIECE = 1000
#: What a web request can write down while its person waits.
MOST = 100_000
WAVES = (1, 5, 25)
STOP_ABOVE = 20


@dataclass(frozen=True)
class Terms:
    """How an operation on many goes about it: the sizes of its first waves, the percentage of
    failures in a wave above which it stops itself, and what its instances were chosen by."""

    waves: Sequence[int] = WAVES
    stop_above: int = STOP_ABOVE
    list_query: str = ""
    retry_of: Operation | None = None


def begin(
    instances: InstanceQuerySet, wanted: Wanted, terms: Terms, *, now: datetime
) -> tuple[Operation, bool]:
    """Writes down an operation on these instances, and lets it run; the same key twice is one.

    Which instances, in which order and as which generation, is decided here and for good. The
    second value is False when this form had been sent before.
    """
    rows = list(
        instances.order_by("-created_on", "-pk").values_list(
            "workflow", "instance_id", "generation", "status", IS_EXPIRED
        )
    )
    workflows = Workflow.objects.select_related("account").in_bulk({row[0] for row in rows})
    try:
        with transaction.atomic():
            operation = Operation.objects.create(
                key=wanted.key,
                kind=wanted.kind,
                workflow=next(iter(workflows.values())) if len(workflows) == 1 else None,
                arguments=storable_json(wanted.arguments),
                reason=storable(wanted.reason),
                requested_by=wanted.user,
                requested_at=now,
                is_bulk=True,
                retry_of=terms.retry_of,
                list_query=storable(terms.list_query),
                stop_above=terms.stop_above,
                stage=Stage.PLANNED,
                note="Its instances are being written down; nothing is sent until all are.",
            )
            StageChange.objects.create(
                operation=operation, stage=Stage.PLANNED, changed_by=wanted.user, changed_at=now
            )
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False
    items = _items(operation, rows, workflows, terms.waves, now)
    while piece := list(itertools.islice(items, PIECE)):
        Item.objects.bulk_create(piece)
    operation.move(Stage.RUNNING, now=now, by=wanted.user, next_run_at=now)
    return operation, True


def _items(
    operation: Operation,
    rows: Sequence[tuple[Any, ...]],
    workflows: dict[int, Workflow],
    waves: Sequence[int],
    now: datetime,
) -> Iterator[Item]:
    """Its items: those that cannot be acted on are skipped from the start."""

    kind = Kind(operation.kind)

    @cache
    def why_not(workflow: int, status: str, is_expired: bool) -> str:
        return refusal(kind, workflows[workflow], status, is_expired=is_expired)

    wave_of = _waves(waves)
    for workflow, instance_id, generation, status, is_expired in rows:
        item = Item(
            operation=operation,
            workflow_id=workflow,
            instance_id=instance_id,
            seen_generation=generation,
        )
        if words := why_not(workflow, status, is_expired):
            item.state, item.wave, item.settled_at = State.SKIPPED, 0, now
            item.note = f"Nothing was sent. {words}"
        else:
            item.state, item.wave = State.PENDING, next(wave_of)
        yield item


def _waves(sizes: Sequence[int]) -> Iterator[int]:
    """The wave of the first instance, of the second, and so on; the last wave never ends."""
    for number, size in enumerate(sizes, start=1):
        yield from itertools.repeat(number, size)
    yield from itertools.repeat(len(sizes) + 1)
