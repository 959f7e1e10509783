"""Statements that each page of a list asks, written by hand: the ORM takes longer to write one than
the database to answer it.

Texts and numbers come as they are, a time as the database keeps it: see `moment` and `held`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any, TypeVar

from django.db import connection, models
from django.db.backends.utils import CursorWrapper

Model = TypeVar("Model", bound=models.Model)
#: Turns what was selected into what the field of a model holds.
Converter = Callable[[Any, models.expressions.Col, Any], Any]


def rows(statement: str, *lists: Collection[str | int]) -> list[tuple[Any, ...]]:
    """What it selects. Each `{}` in it stands for a list of values, none of them empty."""
    places = [f"({', '.join(['%s'] * len(values))})" for values in lists]
    with prepared() as cursor:
        cursor.execute(statement.format(*places), [*chain.from_iterable(lists)])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def prepared() -> CursorWrapper:
    """A cursor that on PostgreSQL lets the server keep what it has parsed and planned: for the rows
    of a list that is three quarters of the time. Others write the values into the text."""
    if connection.vendor == "sqlite":
        return connection.cursor()
    backend: Any = connection
    backend.ensure_connection()
    cursor: CursorWrapper = backend._prepare_cursor(backend.Database.Cursor(backend.connection))
    return cursor


def whole(
    model: type[Model], where: str, *lists: Collection[str | int], **also: str
) -> list[Model]:
    """Instances of a model with all that is kept of them, of the rows for which this holds. `also`:
    further attributes, and what is selected for them."""
    names, columns, converters = _fields(model)
    selected = ", ".join([columns, *also.values()])
    found = []
    for row in rows(f"SELECT {selected} FROM {model._meta.db_table} WHERE {where}", *lists):  # noqa: S608
        values = list(row)
        for place, column, convert in converters:
            values[place] = convert(values[place], column, connection)
        one = model.from_db("default", names, values[: len(names)])
        vars(one).update(zip(also, values[len(names) :], strict=True))
        found.append(one)
    return found


@cache
def _fields(
    model: type[models.Model],
) -> tuple[list[str], str, list[tuple[int, models.expressions.Col, Converter]]]:
    """The names of a model's fields, their columns, and what converts the field at a place."""
    fields = model._meta.concrete_fields
    columns = [field.get_col(model._meta.db_table) for field in fields]
    converters = [
        (place, column, convert)
        for place, column in enumerate(columns)
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.target.get_db_converters(connection),
        )
    ]
    names = [field.attname for field in fields]
    return names, ", ".join(str(field.column) for field in fields), converters


def held(value: datetime) -> Any:
    """A moment that is asked for, as the columns hold it."""
    return connection.ops.adapt_datetimefield_value(value)


def moment(value: datetime | None) -> datetime | None:
    """A time that was selected: SQLite keeps it in UTC and does not say so."""
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
