"""The floor: what the same pages cost with nothing but HTTP, JSON and one upsert statement.

Fetch, parse, and `INSERT … ON CONFLICT DO UPDATE … WHERE` it differs, one statement for 1,000 rows:
unchanged rows write nothing. It writes the product's own table, with all its indexes, the search
index included, which is most of what a new row costs, and every column that a list tells. No
types, no merging of what is known, no counts by status, no note when an unfinished row was seen,
no Django.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import psycopg

from benchmarks.api import Row

BATCH = 1000
MILLISECOND = timedelta(milliseconds=1)
NOW = "2026-10-02 00:00:00+00"
COLUMNS = (
    "workflow_id", "instance_id", "status", "version_id", "trigger", "created_on", "modified_on",
    "started_on", "ended_on", "duration_ms",
)  # fmt: skip
REST = {
    "error_name": "''", "error_message": "''", "generation": "1", "is_listed": "true",
    "seen_at": f"'{NOW}'", "status_seen_at": f"'{NOW}'", "hint": "''", "phase": "''",
    "current_step": "''",
}  # fmt: skip
COMPARED = ("status", "modified_on", "started_on", "ended_on")
TABLE = "dashboard_instance"
INTO = f"INSERT INTO {TABLE} ({', '.join([*COLUMNS, *REST])})"
UPDATE = (
    "ON CONFLICT (workflow_id, instance_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COMPARED)
    + f" WHERE ({', '.join(f'{TABLE}.{name}' for name in COMPARED)})"
    + " {} "
    + f"({', '.join(f'excluded.{name}' for name in COMPARED)})"
)
ROW = f"({', '.join(['?'] * len(COLUMNS))}, {', '.join(REST.values())})"
STAGE = (
    f"CREATE TEMP TABLE IF NOT EXISTS stage ON COMMIT DELETE ROWS AS SELECT {', '.join(COLUMNS)} "
    f"FROM {TABLE} LIMIT 0"
)
POSTGRES = f"{INTO} SELECT {', '.join([*COLUMNS, *REST.values()])} FROM stage " + UPDATE.format(
    "IS DISTINCT FROM"
)

Write = Callable[[int, list[Row]], None]


def store(http: httpx.Client, base_url: str, workflow_id: int, write: Write) -> int:
    """Copies every page; returns how many rows there were."""
    url = f"{base_url}/accounts/a/workflows/w/instances"
    held: list[Row] = []
    number, cursor = 0, ""
    while True:
        params: dict[str, str | int] = {"per_page": 100}
        if cursor:
            params["cursor"] = cursor
        answer = json.loads(http.get(url, params=params).content)
        number += len(answer["result"])
        held += answer["result"]
        cursor = answer["result_info"]["cursor"]
        if held and (len(held) >= BATCH or not cursor):
            write(workflow_id, held)
            held = []
        if not cursor:
            return number


def into_sqlite(path: str) -> Write:
    """A writer with the product's own pragmas."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=20)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    upsert = UPDATE.format("IS NOT")

    def write(workflow_id: int, rows: list[Row]) -> None:
        values = [value for row in rows for value in _tuple(workflow_id, row, _as_django)]
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"{INTO} VALUES {', '.join([ROW] * len(rows))} {upsert}", values)
        connection.execute("COMMIT")

    return write


def into_postgres(url: str) -> Write:
    """A writer by COPY into a temporary table, the fastest way in."""
    connection = psycopg.connect(url, autocommit=True)

    def write(workflow_id: int, rows: list[Row]) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(STAGE)
            with cursor.copy(f"COPY stage ({', '.join(COLUMNS)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(_tuple(workflow_id, row, lambda text: text))
            cursor.execute(POSTGRES)

    return write


def _tuple(
    workflow_id: int, row: Row, instant: Callable[[str | None], str | None]
) -> tuple[Any, ...]:
    return (
        workflow_id, row["id"], row["status"], row["version_id"], row["trigger_source"],
        instant(row["created_on"]), instant(row["modified_on"]), instant(row["started_on"]),
        instant(row["ended_on"]), _milliseconds(row["started_on"], row["ended_on"]),
    )  # fmt: skip


def _milliseconds(start: str | None, end: str | None) -> int | None:
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)) // MILLISECOND


def _as_django(text: str | None) -> str | None:
    """Cloudflare's `2026-10-01T00:00:00.123Z` as Django writes it in SQLite."""
    return None if text is None else f"{text[:10]} {text[11:-1]}000"
