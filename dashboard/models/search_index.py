"""Finding any part of an id or a text without reading every row.

PostgreSQL: GIN indexes of trigrams (pg_trgm). SQLite: its full-text search, two tables of trigrams
that triggers keep, as PostgreSQL keeps its indexes. `ensure` makes both after each `migrate`, for a
migration of SQLite makes a table anew and loses its triggers, and the extension of PostgreSQL may
be allowed only later. Without them every search is right, and slower.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, transaction

from dashboard.models.filters import AnyOf, Clause, Contains

logger = logging.getLogger(__name__)


class Index(NamedTuple):
    """What stands in these columns of a table; rows are known by `key`, an instance's."""

    name: str
    table: str
    key: str
    columns: tuple[str, ...]


INDEXES = (
    Index("search_ids", "dashboard_instance", "id", ("instance_id",)),
    Index("search_texts", "dashboard_searchtext", "instance_id", ("error", "steps", "body")),
)
NO_EXTENSION = (
    "The extension pg_trgm cannot be created in this database (%s). Searching works without it, but"
    ' reads every row. Let a superuser run "CREATE EXTENSION pg_trgm" here, then migrate again.'
)


def ensure(using: str = DEFAULT_DB_ALIAS) -> None:
    """Makes the indexes where they are missing in this database, and fills them. Harmless when they
    are there."""
    connection = connections[using]
    there = set(connection.introspection.table_names())
    tables = [index for index in INDEXES if index.table in there]
    if connection.vendor == "sqlite":
        for index in tables:
            _ensure_sqlite(index, using, is_new=index.name not in there)
        return
    try:
        with transaction.atomic(using), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        logger.warning(NO_EXTENSION, str(error).strip().partition("\n")[0])
        return
    with connection.cursor() as cursor:
        for index in tables:
            columns = ", ".join(f"{column} gin_trgm_ops" for column in index.columns)
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {index.name} ON {index.table} USING gin ({columns})"
            )


def _ensure_sqlite(index: Index, using: str, *, is_new: bool) -> None:
    columns = ", ".join(index.columns)
    old, new = (
        ", ".join(f"{row}.{column}" for column in (index.key, *index.columns))
        for row in ("old", "new")
    )
    is_other = " OR ".join(f"old.{column} IS NOT new.{column}" for column in index.columns)
    into = f"INSERT INTO {index.name}"
    forget = f"{into} ({index.name}, rowid, {columns}) VALUES ('delete', {old})"
    learn = f"{into} (rowid, {columns}) VALUES ({new})"
    triggers = {
        f"{index.name}_forget": f"DELETE ON {index.table} BEGIN {forget}; END",
        f"{index.name}_learn": f"INSERT ON {index.table} BEGIN {learn}; END",
        f"{index.name}_change": f"UPDATE OF {columns} ON {index.table} WHEN {is_other} "
        f"BEGIN {forget}; {learn}; END",
    }
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {index.name} USING fts5({columns}, "
            f"content='{index.table}', content_rowid='{index.key}', tokenize='trigram', "
            "detail='column', columnsize=0)"
        )
        for name, does in triggers.items():
            cursor.execute(f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {does}")
        if is_new:
            cursor.execute(f"{into} ({index.name}) VALUES ('rebuild')")


def found(clause: Clause, limit: int) -> set[int] | None:
    """The keys of the instances that hold a text; None when they are more than `limit`, when the
    text is too short for an index, or when the clause is about something else."""
    if isinstance(clause, AnyOf):
        keys: set[int] = set()
        for one in clause.clauses:
            some = found(one, limit)
            if some is None:
                return None
            keys |= some
        return keys
    if not isinstance(clause, Contains) or clause.is_short:
        return None
    keys = set()
    for index in INDEXES:
        if columns := [column for column in index.columns if column in clause.places]:
            keys.update(_keys(index, columns, clause.text, limit + 1))
    return keys if len(keys) <= limit else None


def _keys(index: Index, columns: list[str], text: str, limit: int) -> list[int]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{escaped}%"
    arguments: list[str | int]
    if connection.vendor == "sqlite":
        fits = " OR ".join(f"told.{column} LIKE %s ESCAPE '\\'" for column in columns)
        statement = (
            f"SELECT told.{index.key} FROM {index.name} JOIN {index.table} AS told "  # noqa: S608
            f"ON told.{index.key} = {index.name}.rowid "
            f"WHERE {index.name} MATCH %s AND ({fits}) LIMIT %s"
        )
        arguments = [_trigrams(columns, text), *[pattern] * len(columns), limit]
    else:
        # One by one: for all columns at once PostgreSQL would rather read a small table, whose
        # long texts cost far more than it thinks.
        statement = " UNION ALL ".join(
            f"(SELECT {index.key} FROM {index.table} WHERE {column} ILIKE %s LIMIT %s)"  # noqa: S608
            for column in columns
        )
        arguments = [pattern, limit] * len(columns)
    with connection.cursor() as cursor:
        cursor.execute(statement, arguments)
        return [row[0] for row in cursor.fetchall()]


def _trigrams(columns: list[str], text: str) -> str:
    """All trigrams of the text, in any of the columns; in which order is the LIKE's to see."""
    trigrams = dict.fromkeys(text[at : at + 3] for at in range(len(text) - 2))
    quoted = " AND ".join('"{}"'.format(part.replace('"', '""')) for part in trigrams)
    return f"{{{' '.join(columns)}}} : ({quoted})"
