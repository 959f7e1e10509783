"""Paging by the place of a row in an order, so that rows that come and go shift nothing.

An order is one field and then the primary key, nulls last in both directions. A cursor is the place
of one row in it: it stays good when that row is gone.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Self, TypeVar

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import OrderBy

Row = TypeVar("Row", bound=models.Model)
Value = datetime | int | None
LARGEST = 2**63 - 1


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

    def cursor_of(self, row: models.Model) -> Cursor:
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
        return self._past(is_later=True) | (
            Q((self.order.field, None)) if self.order.is_nullable else Q()
        )

    def earlier(self) -> Q:
        """Rows that stand before this place."""
        if self.value is None:
            is_null = Q((self.order.field, None))
            return ~is_null | (is_null & self._beyond("pk", self.pk, is_later=False))
        return self._past(is_later=False)

    def _past(self, *, is_later: bool) -> Q:
        same = Q((self.order.field, self.value)) & self._beyond("pk", self.pk, is_later=is_later)
        return self._beyond(self.order.field, self.value, is_later=is_later) | same

    def _beyond(self, field: str, value: Value, *, is_later: bool) -> Q:
        return Q((f"{field}__{'lt' if self.order.is_descending == is_later else 'gt'}", value))


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
    rows: models.QuerySet[Row],
    order: Order,
    *,
    size: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> Page[Row]:
    """The rows right after or right before a place, or the first ones."""
    if before is not None:
        backwards = rows.filter(before.earlier()).order_by(*order.ordering(is_reversed=True))
        found = list(backwards[: size + 1])
        return Page(found[:size][::-1], order, has_previous=len(found) > size, has_next=True)
    if after is not None:
        rows = rows.filter(after.later())
    found = list(rows.order_by(*order.ordering())[: size + 1])
    return Page(found[:size], order, has_previous=after is not None, has_next=len(found) > size)


def _is_number(value: object) -> bool:
    return type(value) is int and abs(value) <= LARGEST


def _is_value(value: object, field: str) -> bool:
    return _is_number(value) if field.endswith("_ms") else isinstance(value, datetime)
