"""Whether anything was written since: one look, whatever was written and by whom."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from django.db import connection


class Watcher:
    """A connection of this process that only asks whether others wrote: SQLite tells it of every
    transaction but its own, and it has none. See <https://sqlite.org/pragma.html#pragma_data_version>.

    The files must not be looked into instead: when a process closes a file, all locks on it that
    the process holds are gone, those of its connections too, and others truncate what they map.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._name = ""
        self._openings = 0
        self._connection: sqlite3.Connection | None = None

    def version(self, name: str) -> str:
        """Of the database in this file; "" when it cannot be told."""
        with self._lock:
            try:
                [(version,)] = self._opened(name).execute("PRAGMA data_version")
            except sqlite3.Error:
                self._connection = None
                return ""
            # Another connection counts anew.
            return f"{self._openings}.{version}"

    def _opened(self, name: str) -> sqlite3.Connection:
        if self._connection is None or self._name != name:
            address = f"{Path(name).absolute().as_uri()}?mode=rw"
            self._connection = sqlite3.connect(
                address, uri=True, check_same_thread=False, isolation_level=None
            )
            self._name, self._openings = name, self._openings + 1
        return self._connection


_watcher = Watcher()


def database_state() -> str:
    """A text that stays the same until somebody commits; "" when that cannot be told. Only this
    process can tell two of them apart.

    Costs writers nothing. In PostgreSQL it is the snapshot that the next statement sees. Inside a
    transaction the caller's own writes would be missing from it.
    """
    if connection.in_atomic_block:
        return ""
    if connection.vendor == "sqlite":
        return _watcher.version(str(connection.settings_dict["NAME"]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])
