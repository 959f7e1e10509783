"""Backup and restore of the embedded default: one file with the database and the key that sessions
and the addresses of alert channels are sealed with.

PostgreSQL has its own tools for it (`pg_dump`, `pg_restore`); the key then stands in SECRET_KEY.
"""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from dashboard.supervisor import lock

DATABASE, KEY = "dashboard.sqlite3", "secret_key"
#: Pages of 4 KiB copied between two reports.
PAGES = 2_000


class NoBackup(Exception):
    """The file is none of these; `str()` says so in a sentence."""


def save(data: Path, file: Path, report: Callable[[int, int], object]) -> None:
    """Copies what `data` holds into a new file that only its owner reads, while others write on.

    `report` is told the pages done and the pages in all. Raises FileExistsError, OSError, and
    sqlite3.Error where the database cannot be read.
    """
    with TemporaryDirectory(dir=file.parent) as folder:
        copy = Path(folder) / DATABASE
        with (
            closing(sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True)) as held,
            closing(sqlite3.connect(copy)) as copied,
        ):
            held.backup(
                copied, pages=PAGES, progress=lambda _, left, total: report(total - left, total)
            )
        with (
            os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as written,
            tarfile.open(fileobj=written, mode="w:gz", compresslevel=3) as archive,
        ):
            archive.add(copy, DATABASE)
            if (data / KEY).exists():
                archive.add(data / KEY, KEY)


def restore(data: Path, file: Path) -> None:
    """Puts what the file holds into `data`, where nothing of the dashboard runs.

    What stood there stays beside it, as `….before`. Raises lock.AlreadyRunning, NoBackup, OSError.
    """
    with lock.hold(data), TemporaryDirectory(dir=data) as folder:
        found = _unpack(file, Path(folder))
        for path in (data / DATABASE, data / KEY):
            if path.exists():
                path.replace(path.with_name(f"{path.name}.before"))
        for log in (f"{DATABASE}-wal", f"{DATABASE}-shm"):
            (data / log).unlink(missing_ok=True)
        for path in found:
            path.replace(data / path.name)


def _unpack(file: Path, folder: Path) -> list[Path]:
    """The two files, whatever else the archive holds, after a look at the database."""
    found = []
    try:
        with tarfile.open(file) as archive:
            for name in {DATABASE, KEY} & set(archive.getnames()):
                content = archive.extractfile(name) or io.BytesIO()
                path = folder / name
                path.touch(mode=0o600)
                with path.open("wb") as written:
                    while chunk := content.read(1 << 20):
                        written.write(chunk)
                found.append(path)
        with closing(sqlite3.connect(folder / DATABASE)) as copied:
            [answer] = copied.execute("PRAGMA quick_check(1)").fetchone()
            copied.execute("SELECT 1 FROM dashboard_instance LIMIT 1")
    except (tarfile.TarError, EOFError, sqlite3.DatabaseError) as error:
        raise NoBackup(f"{file} is no backup of this dashboard: {error}.") from error
    if answer != "ok":
        raise NoBackup(f"{file} holds a database that is damaged: {answer}.")
    return found
