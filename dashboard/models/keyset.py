"""Paging by the place of a row in an order, so that rows that come and go shift nothing.

An order is one field and then the primary key, nulls last in both directions. A cursor is the place
of one row in it: it stays good when that row is gone.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.expressions import OrderBy

Value = datetime | int | None
LARGEST = 2**63 - 1


class Placed(Protocol):
    """A row that has its primary key, and the fields it can be ordered by."""

    @property
    def pk(self) -> int: ...


Row = TypeVar("Row", bound=Placed)


class BadCursor(ValueError):
    """Not a cursor of this order."""


@dataclass(frozen=True)
class Order:
    """One field and its direction. `is_nullable`: rows without a value stand last."""

    field: str
    is_descending: bool = True
    is_nullable: bool = True

    def ordering(self, *, is_reversed: bool = False) -> list[OrderBy]:
        is_descending = self.is_descending != is_reversed
        nulls: dict[str, bool] = {}
        if self.is_nullable:
            nulls = {"nulls_first" if is_reversed else "nulls_last": True}
        return [
            OrderBy(F(self.field), descending=is_descending, **nulls),
            OrderBy(F("pk"), descending=is_descending),
        ]

    def sql(self, *, is_reversed: bool = False) -> str:
        """The same for rows of a primary key and the field's value."""
        is_descending = self.is_descending != is_reversed
        way = "DESC" if is_descending else "ASC"
        nulls = "FIRST" if is_reversed else "LAST"
        return f"2 {way} NULLS {nulls}, 1 {way}"

    def cursor_of(self, row: Placed) -> Cursor:
        return Cursor(self, getattr(row, self.field), row.pk)


@dataclass(frozen=True)
class Cursor:
    """The place of a row in an order."""

    order: Order
    value: Value
    pk: int

    def __str__(self) -> str:
        """For an address: opaque, and nothing is lost in it."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        text = json.dumps([self.order.field, value, self.pk], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, order: Order) -> Self:
        """The cursor that `str` wrote; raises BadCursor for anything else."""
        try:
            padded = text.encode() + b"=" * (-len(text) % 4)
            field, value, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if isinstance(value, str):
                value = datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
            raise BadCursor(text) from error
        is_place = field == order.field and _is_number(pk)
        if not is_place or not (value is None or _is_value(value, field)):
            raise BadCursor(text)
        return cls(order, value, pk)

    def later(self) -> Q:
        """Rows that stand after this place."""
        if self.value is None:
            return Q((self.order.field, None)) & self._beyond("pk", self.pk, is_later=True)
        if not self.order.is_nullable:
            return self._past(is_later=True)
        return self._past(is_later=True) | Q((self.order.field, None))

    def earlier(self) -> Q:
        """Rows that stand before this place."""
        if self.value is None:
            is_null = Q((self.order.field, None))
            return ~is_null | (is_null & self._beyond("pk", self.pk, is_later=False))
        return self._past(is_later=False)

    def _past(self, *, is_later: bool) -> Q:
        """Written so that an index can begin at the place: an OR at the top would hide it."""
        field, value = self.order.field, self.value
        beyond = self._beyond(field, value, is_later=is_later)
        from_here = self._beyond(field, value, is_later=is_later, or_equal=True)
        return from_here & (beyond | self._beyond("pk", self.pk, is_later=is_later))

    def _beyond(self, field: str, value: Value, *, is_later: bool, or_equal: bool = False) -> Q:
        comparison = "lt" if self.order.is_descending == is_later else "gt"
        return Q((f"{field}__{comparison}{'e' * or_equal}", value))


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows in order, and whether there are rows before and after them."""

    rows: list[Row]
    order: Order
    has_previous: bool = False
    has_next: bool = False

    @property
    def previous(self) -> str:
        """The cursor for the page before; "" when there is none."""
        return str(self.order.cursor_of(self.rows[0])) if self.has_previous and self.rows else ""

    @property
    def next(self) -> str:
        """The cursor for the page after; "" when there is none."""
        return str(self.order.cursor_of(self.rows[-1])) if self.has_next and self.rows else ""


def page_of(
    lists: Sequence[models.QuerySet[models.Model]],
    read: Callable[[list[int]], list[Row]],
    order: Order,
    *,
    size: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Page[Row]:
    """The rows right after or right before a place, or the first ones, out of lists that have no
    row in common; `read` gives rows for their keys, in that order."""
    is_reversed = before is not None
    between = before.earlier() if before else after.later() if after else Q()
    found = first_keys(
        [rows.filter(between) if between else rows for rows in lists],
        order,
        limit=size + 1,
        is_reversed=is_reversed,
    )
    rows, has_more = read(found[:size][:: -1 if is_reversed else 1]), len(found) > size
    if is_reversed:
        return Page(rows, order, has_previous=has_more, has_next=True)
    return Page(rows, order, has_previous=after is not None, has_next=has_more)


def pages_of(
    lists: Sequence[models.QuerySet[models.Model]],
    read: Callable[[list[int]], list[Row]],
    order: Order,
    *,
    size: int,
) -> Iterator[Page[Row]]:
    """All pages, one after the other."""
    page = page_of(lists, read, order, size=size)
    yield page
    while page.has_next and page.rows:
        page = page_of(lists, read, order, size=size, after=order.cursor_of(page.rows[-1]))
        yield page


def first_keys(
    lists: Iterable[models.QuerySet[models.Model]],
    order: Order,
    *,
    limit: int,
    is_reversed: bool = False,
) -> list[int]:
    """The primary keys of the first rows of all lists together: each is read in the order of its
    own index as far as needed, and then they are merged."""
    parts: list[str] = []
    arguments: list[Any] = []
    for rows in lists:
        first = rows.order_by(*order.ordering(is_reversed=is_reversed))[:limit]
        try:
            statement, values = first.values_list("pk", order.field).query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT * FROM ({statement}) AS list{len(parts)}")  # noqa: S608
        arguments += values
    if not parts:
        return []
    merged = " UNION ALL ".join(parts)
    if len(parts) > 1:
        merged += f" ORDER BY {order.sql(is_reversed=is_reversed)} LIMIT {limit:d}"
    with connection.cursor() as cursor:
        cursor.execute(merged, arguments)
        return [row[0] for row in cursor.fetchall()]


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) <= LARGEST


def _is_value(value: object, field: str) -> bool:
    return _is_number(value) if field.endswith("_ms") else isinstance(value, datetime)
