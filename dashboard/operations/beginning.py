"""Writing down an operation on many, once somebody has said yes to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, TextField, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils.translation import override

from dashboard.models import Item, Operation, StageChange, Workflow
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.operation import Kind, Stage
from dashboard.models.storing import storable, storable_json
from dashboard.operations import allowed
from dashboard.operations.performing import Wanted
from dashboard.operations.planning import IS_EXPIRED, refusal_of_all

WAVES = (1, 5, 25)
STOP_ABOVE = 20
#: One statement: as objects, a hundred thousand would take half a minute.
INSERT = """
    INSERT INTO dashboard_item (
        operation_id, workflow_id, instance_id, seen_generation,
        wave, state, note, settled_at, before, seen
    )
    SELECT
        %s, workflow_id, instance_id, generation,
        CASE WHEN why_not <> '' THEN 0 {waves} ELSE {last_wave} END,
        CASE WHEN why_not <> '' THEN 'skipped' ELSE 'pending' END,
        CASE WHEN why_not <> '' THEN 'Nothing was sent. ' || why_not ELSE '' END,
        CASE WHEN why_not <> '' THEN %s END,
        '{{}}', '{{}}'
    FROM ({chosen}) AS chosen
    ORDER BY created_on DESC, id DESC
"""


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

    Which instances, in which order and as which generation, is decided here and for good, all of
    it or nothing. The second value is False when this form had been sent before.
    """
    try:
        with transaction.atomic():
            return _write(instances, wanted, terms, now), True
    except IntegrityError:
        return Operation.objects.get(key=wanted.key), False


def _write(instances: InstanceQuerySet, wanted: Wanted, terms: Terms, now: datetime) -> Operation:
    chosen = instances.order_by().distinct()
    workflows = Workflow.objects.select_related("account").in_bulk(
        chosen.values_list("workflow", flat=True)
    )
    operation = Operation.objects.create(
        key=wanted.key,
        kind=wanted.kind,
        workflow=next(iter(workflows.values())) if len(workflows) == 1 else None,
        arguments=storable_json(wanted.arguments),
        reason=storable(wanted.reason),
        requested_by=wanted.user,
        token_name=wanted.user.token_name,
        requested_at=now,
        is_bulk=True,
        retry_of=terms.retry_of,
        list_query=storable(terms.list_query),
        stop_above=terms.stop_above,
        stage=Stage.RUNNING,
        next_run_at=now,
    )
    StageChange.objects.create(
        operation=operation,
        stage=Stage.RUNNING,
        changed_by=wanted.user,
        token_name=wanted.user.token_name,
        changed_at=now,
    )
    states = chosen.values_list("status", IS_EXPIRED)
    # Rows are written in one language, whoever asks.
    with override(settings.LANGUAGE_CODE):
        why_not = _refusals(wanted, workflows.values(), states)
    _write_items(operation, instances.annotate(why_not=why_not), terms.waves, now)
    return operation


def _refusals(
    wanted: Wanted, workflows: Iterable[Workflow], states: Iterable[tuple[str, bool]]
) -> Case:
    """Why nothing is sent to an instance, as `planning.refusal` says it; "" when something is."""
    kind = Kind(wanted.kind)
    of_all: dict[str, list[int]] = defaultdict(list)
    for workflow in workflows:
        of_all[refusal_of_all(kind, workflow, wanted.user)].append(workflow.pk)
    of_all.pop("", None)
    of_state = {
        (status, is_expired): words
        for status, is_expired in states
        if (words := allowed.refusal(kind, status, is_expired=is_expired))
    }
    return Case(
        *[When(workflow__in=pks, then=Value(words)) for words, pks in of_all.items()],
        *[
            When(status=status, expired_at__isnull=not is_expired, then=Value(words))
            for (status, is_expired), words in of_state.items()
        ],
        default=Value(""),
        output_field=TextField(),
    )


def _write_items(
    operation: Operation, instances: InstanceQuerySet, waves: Sequence[int], now: datetime
) -> None:
    """Its items, the newest instance first: those that have a `why_not` are skipped from the start,
    and the others stand in waves."""
    is_skipped = Case(When(why_not="", then=Value(0)), default=Value(1))
    place = Window(RowNumber(), partition_by=is_skipped, order_by=["-created_on", "-pk"])
    columns = ("id", "created_on", "workflow_id", "instance_id", "generation", "why_not", "place")
    chosen, values = (
        instances.annotate(place=place).order_by().values(*columns).query.sql_with_params()
    )
    ends = enumerate(accumulate(waves), start=1)
    statement = INSERT.format(
        waves=" ".join(f"WHEN place <= {end:d} THEN {wave:d}" for wave, end in ends),
        last_wave=len(waves) + 1,
        chosen=chosen,
    )

    fields = {field.name: field for field in Item._meta.fields}
    told: list[Any] = [
        fields[name].get_db_prep_save(value, connection)
        for name, value in (("operation", operation.pk), ("settled_at", now))
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*told, *values])
