"""The databases that figures are taken on: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.postgres import Postgres
from tests.servers.process import NotInstalled


@contextmanager
def databases(folder: Path) -> Iterator[list[dict[str, str]]]:
    """The environment of each, empty, for a process of its own that measures there."""
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    sqlite = own | {"DATA_DIR": str(folder)}
    try:
        server = Postgres(folder)
    except NotInstalled as missing:
        print(f"{missing}, so only SQLite is measured.", file=sys.stderr)
        yield [sqlite]
        return
    with server:
        yield [sqlite, sqlite | {"DATABASE_URL": server.url}]
