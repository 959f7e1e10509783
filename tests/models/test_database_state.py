from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from dashboard.models import database_state
from dashboard.models.database_state import Watcher

WRITE = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
try:
    held.execute("BEGIN IMMEDIATE")
except sqlite3.OperationalError as error:
    print(error)
else:
    print("written")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of its own, whatever the others are in; its name needs quoting in an address."""
    found = tmp_path / "what? 100%.sqlite3"
    with closing(sqlite3.connect(found)) as held:
        held.execute("PRAGMA journal_mode=wal")
        held.execute("CREATE TABLE one (number)")
    return found


def write(path: Path) -> None:
    with closing(sqlite3.connect(path)) as held, held:
        held.execute("INSERT INTO one VALUES (1)")


def test_no_lock_of_this_process_is_lost_by_looking(path: Path) -> None:
    watcher = Watcher()
    with closing(sqlite3.connect(path, isolation_level=None)) as held:
        held.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            assert watcher.version(str(path))

        told = subprocess.run(
            [sys.executable, "-c", WRITE, str(path)], capture_output=True, text=True, check=True
        )

    assert told.stdout == "database is locked\n"


def test_what_any_connection_writes_is_told_and_reading_is_not(path: Path) -> None:
    watcher = Watcher()
    first = watcher.version(str(path))
    with closing(sqlite3.connect(path)) as held:
        held.execute("SELECT * FROM one").fetchall()
    again = watcher.version(str(path))
    write(path)

    assert first == again
    assert watcher.version(str(path)) != first


def test_a_database_that_was_away_has_another_state_afterwards(path: Path) -> None:
    watcher = Watcher()
    first = watcher.version(str(path))
    moved = path.rename(path.with_name("moved"))

    assert watcher.version(str(path.with_name("gone"))) == ""
    moved.rename(path)
    assert watcher.version(str(path)) not in {"", first}


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_told() -> None:
    assert connection.in_atomic_block
    assert database_state.database_state() == ""
