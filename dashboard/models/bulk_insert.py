"""Adding rows of a list to the table, a thousand at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import CharField

from dashboard.cloudflare import types
from dashboard.cloudflare.types import Status, Trigger
from dashboard.models import bulk_sql, merging
from dashboard.models.bulk_sql import NEXT, NONE, TOLD
from dashboard.models.instance import Instance
from dashboard.models.storing import word
from dashboard.models.written import Written

LONGEST = {
    field.name: field.max_length or 0
    for field in Instance._meta.fields
    if isinstance(field, CharField)
}
STATUSES = frozenset(status.value for status in Status)
TRIGGERS = frozenset(trigger.value for trigger in Trigger)
#: Where a row stands that does not tell when it was created.
FIRST = datetime.min.replace(tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
#: How Cloudflare writes a moment, with each digit as 0, or none.
USUAL = {"0000-00-00T00:00:00.000Z", ""}
ANY_DIGIT = str.maketrans("123456789", "000000000")
Column = Sequence[str | int | None]


def insert_new(
    workflow_id: int, rows: Sequence[types.Instance], now: datetime, written: Written
) -> int:
    """Adds the rows that the table does not hold yet; returns how many those were, and counts them
    as written if it was all of them: else it is not known which others had added.

    In PostgreSQL in the order of their creation, so that of two processes with the same rows one
    waits for the other: it is the order of the lists, which costs the indexes the least. SQLite
    lets only one write anyway.
    """
    if not rows:
        return 0
    at = text_of(now)
    if connection.vendor == "sqlite":
        columns = _columns(rows, at)
        added = _insert_into_sqlite(workflow_id, columns, at)
    else:
        columns = _columns(sorted(rows, key=_place, reverse=True), at)
        added = _insert_into_postgres(workflow_id, columns, at)
    if added == len(rows):
        statuses = Counter(map(str, columns[1]))
        written.moves.update({(workflow_id, status, True): n for status, n in statuses.items()})
        written.happened.added_all(workflow_id, columns)
    return added


def _place(row: types.Instance) -> tuple[datetime, str]:
    return row.created_on or FIRST, row.id


def _insert_into_sqlite(workflow_id: int, columns: list[Column], at: str) -> int:
    with connection.cursor() as cursor:
        for statement in bulk_sql.WAITING_SQLITE:
            cursor.execute(statement)
        cursor.executemany(bulk_sql.WAIT_SQLITE, [*zip(*columns, strict=True)])
        cursor.execute(bulk_sql.INSERT_SQLITE.format(workflow_id=workflow_id, now=at))
        return int(cursor.rowcount)


def _insert_into_postgres(workflow_id: int, columns: list[Column], at: str) -> int:
    texts = [
        NEXT.join([NONE, *[NONE if value is None else str(value) for value in column]])
        for column in columns
    ]
    with connection.cursor() as cursor:
        cursor.execute(bulk_sql.INSERT_POSTGRES.format(workflow_id=workflow_id, now=at), texts)
        return int(cursor.rowcount)


def _columns(rows: Sequence[types.Instance], at: str) -> list[Column]:
    """The values of all rows for each of COLUMNS."""
    try:
        return _usual_columns(rows)
    except (KeyError, TypeError, ValueError):
        return [*zip(*(_values_of(row, at) for row in rows), strict=True)]


def _usual_columns(rows: Sequence[types.Instance]) -> list[Column]:
    """Straight from what was sent, which takes a third of the time.

    Raises KeyError, TypeError or ValueError when any of the rows is unusual.
    """
    statuses, versions, triggers, *sent = zip(*[TOLD(row.raw) for row in rows], strict=True)
    is_usual = STATUSES.issuperset(statuses) and TRIGGERS.issuperset(triggers)
    is_usual = is_usual and all(map(_is_version, set(versions)))
    if not is_usual or not all(row.created_on for row in rows):
        raise ValueError
    moments = _moments(sent)
    _, starts, ends = [_read(column) for column in sent[1:]]
    durations = [
        (end - start) // MILLISECOND if end and start and end >= start else None
        for start, end in zip(starts, ends, strict=True)
    ]
    ids = [row.id for row in rows]
    return [ids, statuses, versions, triggers, *moments, durations, [1] * len(rows)]


def _is_version(text: str) -> bool:
    return isinstance(text, str) and len(text) <= LONGEST["version_id"] and word(text) == text


def _moments(sent: Sequence[Sequence[str | None]]) -> list[list[str | None]]:
    """Columns of moments as Cloudflare writes them, as `text_of`.

    Raises TypeError or ValueError when any is written in another way.
    """
    together = NEXT.join([moment or "" for column in sent for moment in column])
    if not {*together.translate(ANY_DIGIT).split(NEXT)} <= USUAL:
        raise ValueError
    texts = together.replace("T", " ").replace(".000Z", "").replace("Z", "000").split(NEXT)
    moments = [text or None for text in texts]
    number = len(sent[0])
    return [moments[start : start + number] for start in range(0, len(moments), number)]


def _read(sent: Sequence[str | None]) -> list[datetime | None]:
    read = datetime.fromisoformat
    return [read(moment) if moment else None for moment in sent]


def _values_of(told: types.Instance, at: str) -> tuple[str | int | None, ...]:
    """Without a time of creation it is guessed, until a list tells it."""
    started, ended = told.started_on, told.ended_on
    guess = told.created_on or started
    return (
        told.id,
        word(told.status.value)[: LONGEST["status"]],
        word(told.version_id)[: LONGEST["version_id"]],
        word(told.trigger.value)[: LONGEST["trigger"]],
        text_of(guess) if guess else at,
        text_of(told.modified_on) if told.modified_on else None,
        text_of(started) if started else None,
        text_of(ended) if ended else None,
        merging.duration_ms(started, ended),
        int(told.created_on is not None),
    )


def text_of(moment: datetime) -> str:
    """A UTC moment as both databases read it: in SQLite exactly as Django writes it."""
    return moment.isoformat(" ")[: 19 if not moment.microsecond else 26]
