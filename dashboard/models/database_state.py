"""Whether anything was written since: one look, whatever was written and by whom."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from django.db import connection

#: The index of SQLite's write-ahead log begins with a header that each transaction changes.
WAL_INDEX_HEADER = 48


def database_state() -> str:
    """A text that stays the same until somebody commits; "" when that cannot be told.

    Costs writers nothing. In PostgreSQL it is the snapshot that the next statement sees; in SQLite
    the header of the WAL index, see <https://sqlite.org/walformat.html>. Inside a transaction the
    caller's own writes would be missing from it.
    """
    if connection.in_atomic_block:
        return ""
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_current_snapshot()::text")
            return str(cursor.fetchone()[0])
    with suppress(OSError), Path(f"{connection.settings_dict['NAME']}-shm").open("rb") as index:
        return index.read(WAL_INDEX_HEADER).hex()
    return ""
