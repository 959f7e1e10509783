"""What people did, against SQL that would change or delete it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from dashboard.models import Item, Operation, StageChange, User
from dashboard.models.operation import Kind, Stage, State
from dashboard.simulator.server import Server
from tests.fixtures import Watched
from tests.operations.many import add, begin, work


@pytest.fixture
def operation(watched: Watched, configured: Server, operator: User) -> Operation:
    """One that has ended one instance, and waits to end another."""
    add(watched, "waiting", 2)
    operation = begin(watched, operator, Kind.TERMINATE)
    operation.items.order_by("pk").first().write(state=State.DONE, note="Terminated.")  # type: ignore[union-attr]
    return operation


def execute(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.parametrize("table", ["stagechange", "item", "operation"])
def test_nothing_is_deleted_by_hand(operation: Operation, table: str) -> None:
    with pytest.raises(IntegrityError, match="kept for good"):
        execute(f"DELETE FROM dashboard_{table}")


@pytest.mark.parametrize(
    "change",
    [
        lambda: Item.objects.filter(state=State.DONE).update(state=State.FAILED),
        lambda: Item.objects.filter(state=State.DONE).update(note="changed"),
        lambda: Item.objects.filter(state=State.PENDING).update(instance_id="another"),
        lambda: Operation.objects.update(reason="changed"),
        lambda: Operation.objects.update(requested_by=User.objects.create(username="eve")),
        lambda: StageChange.objects.update(note="changed"),
    ],
)
def test_what_was_asked_and_what_became_of_it_is_not_changed(
    operation: Operation, change: Callable[[], Any]
) -> None:
    with pytest.raises(IntegrityError, match="kept for good"), transaction.atomic():
        change()


def test_one_that_runs_goes_on(watched: Watched, operation: Operation) -> None:
    work(watched, operation)

    assert operation.stage == Stage.FINISHED
    assert set(operation.items.values_list("state", flat=True)) == {State.DONE}


@pytest.mark.django_db(transaction=True)
def test_it_holds_after_a_table_was_emptied_or_made_anew(watched: Watched, operator: User) -> None:
    add(watched, "waiting", 1)
    begin(watched, operator, Kind.PAUSE)

    with pytest.raises(IntegrityError, match="kept for good"):
        execute("DELETE FROM dashboard_item")
