"""The databases that figures are taken on: SQLite, and PostgreSQL where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

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


def named(env: Mapping[str, str], name: str) -> dict[str, str]:
    """The environment of another empty database of the same kind, with a data folder of its own."""
    folder = Path(env["DATA_DIR"], f"{kind(env)}-{name}")
    found = {**env, "DATA_DIR": str(folder)}
    if url := env.get("DATABASE_URL"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        found["DATABASE_URL"] = f"{url.rpartition('/')[0]}/{name}"
    return found


def kind(env: Mapping[str, str]) -> str:
    return "postgresql" if "DATABASE_URL" in env else "sqlite"


def filled(env: Mapping[str, str], number: int, viewers: int = 1) -> list[str]:
    """Fills the database of this environment as `held` does; the keys of the viewers' sessions."""
    command = [sys.executable, "-m", "benchmarks.held", str(number), str(viewers)]
    done = subprocess.run(command, env=dict(env), check=True, capture_output=True, text=True)
    return done.stdout.split()[-viewers:]
