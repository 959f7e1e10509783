"""Statements that each page of a list asks, written by hand: the ORM takes longer to write one than
the database to answer it.

Texts and numbers come as they are, a time as the database keeps it: see `moment` and `held`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from django.db import connection


def rows(statement: str, *lists: Collection[str | int]) -> list[tuple[Any, ...]]:
    """What it selects. Each `{}` in it stands for a list of values, none of them empty."""
    places = [f"({', '.join(['%s'] * len(values))})" for values in lists]
    with connection.cursor() as cursor:
        cursor.execute(statement.format(*places), [*chain.from_iterable(lists)])
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def held(value: datetime) -> Any:
    """A moment that is asked for, as the columns hold it."""
    return connection.ops.adapt_datetimefield_value(value)


def moment(value: datetime | None) -> datetime | None:
    """A time that was selected: SQLite keeps it in UTC and does not say so."""
    return value if value is None or value.tzinfo else value.replace(tzinfo=UTC)
