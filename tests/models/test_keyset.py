from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Mod
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.forms.instance_filters import ORDERS
from dashboard.models import Instance
from dashboard.models.keyset import BadCursor, Cursor, Order, Page, page_of
from dashboard.models.list_row import ListRow, list_rows
from tests.rows import THEN, workflow

#: Few different values, so that ties and blanks are common.
SECONDS = st.integers(0, 3)
ROWS = st.lists(
    st.tuples(SECONDS, st.none() | SECONDS, st.none() | SECONDS, st.none() | SECONDS), max_size=12
)


def at(seconds: int | None) -> datetime | None:
    return None if seconds is None else THEN + timedelta(seconds=seconds)


def make(rows: list[tuple[int, int | None, int | None, int | None]]) -> None:
    Instance.objects.all().delete()
    home = workflow()
    Instance.objects.bulk_create(
        Instance(
            workflow=home,
            instance_id=f"i{number}",
            status="running",
            created_on=THEN + timedelta(seconds=created),
            started_on=at(started),
            ended_on=at(ended),
            duration_ms=duration,
            seen_at=THEN,
            status_seen_at=THEN,
        )
        for number, (created, started, ended, duration) in enumerate(rows)
    )


def in_memory(order: Order) -> list[int]:
    """The whole list sorted without the database: nulls last, ties by primary key."""
    rows = list(Instance.objects.all())
    sign = -1 if order.is_descending else 1

    def key(row: Instance) -> tuple[bool, float, int]:
        value = getattr(row, order.field)
        number = value.timestamp() if isinstance(value, datetime) else (value or 0)
        return (value is None, sign * number, sign * row.pk)

    return [row.pk for row in sorted(rows, key=key)]


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=ROWS,
    field=st.sampled_from(sorted(ORDERS)),
    is_descending=st.booleans(),
    size=st.integers(1, 4),
    lists=st.integers(1, 3),
)
def test_walking_the_pages_of_merged_lists_either_way_meets_every_row_once_and_in_order(
    rows: list[tuple[int, int | None, int | None, int | None]],
    field: str,
    is_descending: bool,
    size: int,
    lists: int,
) -> None:
    make(rows)
    parts = [
        Instance.objects.alias(part=Mod("pk", lists)).filter(part=part) for part in range(lists)
    ]

    def page_at(after: str = "", before: str = "") -> Page[ListRow]:
        return page_of(
            parts,
            list_rows,
            order,
            size=size,
            after=Cursor.read(after, order) if after else None,
            before=Cursor.read(before, order) if before else None,
        )

    order = Order(ORDERS[field].field, is_descending, ORDERS[field].is_nullable)
    whole = in_memory(order)

    page = page_at()
    forwards = [row.pk for row in page.rows]
    while page.next:
        page = page_at(after=page.next)
        forwards += [row.pk for row in page.rows]
    assert forwards == whole

    backwards = [row.pk for row in page.rows]
    while page.previous:
        page = page_at(before=page.previous)
        backwards = [row.pk for row in page.rows] + backwards
    assert backwards == whole


@given(text=st.text(max_size=60))
def test_whatever_stands_in_an_address_is_a_cursor_or_a_bad_cursor(text: str) -> None:
    for order in ORDERS.values():
        try:
            Cursor.read(text, order)
        except BadCursor:
            continue


@pytest.mark.parametrize("value", [THEN, 7, None])
def test_a_cursor_of_one_order_is_no_cursor_of_another(value: datetime | int | None) -> None:
    written = str(Cursor(Order("started_on"), value, 3))

    with pytest.raises(BadCursor):
        Cursor.read(written, Order("duration_ms"))


@pytest.mark.parametrize("pk", [2**63, -(2**64), True, "1", None])
def test_a_cursor_never_holds_what_a_database_cannot(pk: object) -> None:
    written = str(Cursor(Order("started_on"), None, pk))  # type: ignore[arg-type]

    with pytest.raises(BadCursor):
        Cursor.read(written, Order("started_on"))


def test_a_cursor_survives_its_way_through_an_address() -> None:
    order = Order("created_on", is_nullable=False)
    cursor = Cursor(order, THEN + timedelta(microseconds=123456), 42)

    assert Cursor.read(str(cursor), order) == cursor
