"""Rows of a list against rows of the table, a thousand at once: one statement to look, one to add.

Without the ORM: an object of each row costs several times what the database does with it. Moments
travel as text, which Python and both databases read fastest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import CharField

from dashboard.cloudflare import types
from dashboard.cloudflare.types import FINISHED
from dashboard.models import merging
from dashboard.models.instance import Instance
from dashboard.models.storing import storable

COLUMNS = {
    "instance_id": "text",
    "status": "text",
    "version_id": "text",
    "trigger": "text",
    "created_on": "timestamptz",
    "modified_on": "timestamptz",
    "started_on": "timestamptz",
    "ended_on": "timestamptz",
    "duration_ms": "bigint",
    "is_listed": "boolean",
}
#: What is the same for all new rows stands in the statement: binding it a thousand times is slow.
SAME = {"workflow_id": "{workflow_id:d}", "seen_at": "'{now}'", "status_seen_at": "'{now}'"}
SAME |= {
    field.attname: f"'{field.default}'"
    for field in Instance._meta.fields
    if field.has_default() and field.attname not in COLUMNS
}
INSERT = (
    f"INSERT INTO dashboard_instance ({', '.join([*COLUMNS, *SAME])}) "
    "{} ON CONFLICT (workflow_id, instance_id) DO NOTHING"
)
INSERT_SQLITE = INSERT.format(
    f"VALUES ({', '.join(['%s'] * len(COLUMNS))}, {', '.join(SAME.values())})"
)
INSERT_POSTGRES = INSERT.format(
    f"SELECT {', '.join([*COLUMNS, *SAME.values()])} FROM jsonb_to_recordset(%s) AS told "  # noqa: S608
    f"({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
)
SELECT = (
    "SELECT instance_id, id, status, version_id, trigger, {}, "
    "is_listed AND expired_at IS NULL AND left_at IS NULL "
    "FROM dashboard_instance WHERE workflow_id = %s AND instance_id {}"
)
MOMENTS = ("created_on", "modified_on", "started_on", "ended_on", "seen_at")
SELECT_SQLITE = SELECT.format(
    ", ".join(f"{name} || '+00:00'" for name in MOMENTS), "IN (SELECT value FROM json_each(%s))"
)
SELECT_POSTGRES = SELECT.format(", ".join(f"{name}::text" for name in MOMENTS), "= ANY(%s)")
#: As many values as one statement of any SQLite may hold.
AT_ONCE = 900
LONGEST = {
    field.name: field.max_length or 0
    for field in Instance._meta.fields
    if isinstance(field, CharField)
}
FINISHED_WORDS = frozenset(status.value for status in FINISHED)


class Known(NamedTuple):
    """A row of the table: its facts in the order of `facts_told`."""

    facts: tuple[Any, ...]
    pk: int
    seen_at: str

    def says(self, told: types.Instance) -> bool:
        """True when the row says already what a list says: merging would change nothing."""
        facts = facts_told(told)
        return self.facts == facts or merging.is_said(self.facts, facts)

    @property
    def is_unfinished(self) -> bool:
        return self.facts[0] not in FINISHED_WORDS


def facts_told(told: types.Instance) -> tuple[Any, ...]:
    """What a list says, in the order of `merging.LISTED`; and that a list shows it: it is
    listed, not expired, and has not left."""
    return (
        told.status,
        told.version_id,
        told.trigger,
        told.created_on,
        told.modified_on,
        told.started_on,
        told.ended_on,
        True,
    )


def known_rows(workflow_id: int, instance_ids: Iterable[str]) -> dict[str, Known]:
    """The workflow's rows with these ids, by id; not locked."""
    is_sqlite = connection.vendor == "sqlite"
    ids = json.dumps([*instance_ids]) if is_sqlite else [*instance_ids]
    read = datetime.fromisoformat
    with connection.cursor() as cursor:
        cursor.execute(SELECT_SQLITE if is_sqlite else SELECT_POSTGRES, [workflow_id, ids])
        return {
            id_: Known(
                (
                    status,
                    version,
                    trigger,
                    read(created),
                    modified and read(modified),
                    started and read(started),
                    ended and read(ended),
                    is_plain,
                ),
                pk,
                seen_at,
            )
            for (
                id_,
                pk,
                status,
                version,
                trigger,
                created,
                modified,
                started,
                ended,
                seen_at,
                is_plain,
            ) in cursor.fetchall()
        }


def insert_new(workflow_id: int, rows: Iterable[types.Instance], now: datetime) -> int:
    """Adds the rows that the table does not hold yet; returns how many those were.

    In PostgreSQL in the order of their ids, so that of two processes with the same rows one waits
    for the other; SQLite lets only one write anyway.
    """
    at = text_of(now)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            statement = INSERT_SQLITE.format(workflow_id=workflow_id, now=at)
            cursor.executemany(statement, [_values(told, at) for told in rows])
        else:
            statement = INSERT_POSTGRES.format(workflow_id=workflow_id, now=at)
            values = sorted((_values(told, at) for told in rows), key=itemgetter(0))
            objects = [dict(zip(COLUMNS, row, strict=True)) for row in values]
            cursor.execute(statement, [json.dumps(objects)])
        return int(cursor.rowcount)


def mark_as_seen(pks: Sequence[int], now: datetime) -> None:
    """Moves `seen_at` on, except of rows that somebody else writes at this moment: who does so has
    seen them too, and waiting for each other in different orders would be a deadlock."""
    for start in range(0, len(pks), AT_ONCE):
        some = Instance.objects.select_for_update(skip_locked=True).filter(
            pk__in=pks[start : start + AT_ONCE]
        )
        Instance.objects.filter(pk__in=some.values("pk")).update(seen_at=now)


def _values(told: types.Instance, at: str) -> tuple[Any, ...]:
    """In the order of COLUMNS. Without a time of creation it is guessed, until a list tells it."""
    created, started, ended, sent = told.created_on, told.started_on, told.ended_on, told.raw.get
    guess = _moment(created, sent("created_on")) or _moment(started, sent("started_on"))
    return (
        fit("instance_id", told.id),
        fit("status", told.status.value),
        fit("version_id", told.version_id),
        fit("trigger", told.trigger.value),
        guess or at,
        _moment(told.modified_on, sent("modified_on")),
        _moment(started, sent("started_on")),
        _moment(ended, sent("ended_on")),
        merging.duration_ms(started, ended),
        int(created is not None),  # An exact int: SQLite takes a bool several times slower.
    )


def _moment(moment: datetime | None, sent: Any) -> str | None:
    """`text_of` the moment; where it was sent in the usual shape, cut from that: five times
    faster, and a new row has four of them."""
    if moment is None:
        return None
    if type(sent) is str and len(sent) == 24 and sent[10] + sent[19] + sent[23] == "T.Z":
        fraction = "" if sent[19:23] == ".000" else f"{sent[19:23]}000"
        return f"{sent[:10]} {sent[11:19]}{fraction}"
    return text_of(moment)


def fit(column: str, text: str) -> str:
    """The text as its column can hold it."""
    if len(text) <= LONGEST[column] and "\x00" not in text:
        return text
    return storable(text)[: LONGEST[column]]


def text_of(moment: datetime) -> str:
    """A UTC moment as both databases read it: in SQLite exactly as Django writes it."""
    return moment.isoformat(" ")[: 19 if not moment.microsecond else 26]
