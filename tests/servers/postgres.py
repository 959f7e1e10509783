"""Debian's PostgreSQL for as long as a test run, or a command, needs it.

python -m tests.servers.postgres -- COMMAND...   runs COMMAND with DATABASE_URL set
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from dashboard.supervisor.address import free_port
from tests.servers.process import NotInstalled, Server


def programs() -> Path:
    """The folder of the newest server's programs; raises NotInstalled."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    raise NotInstalled("PostgreSQL is not installed")


def _version(initdb: Path) -> float:
    return float(initdb.parent.parent.name)


class Postgres(Server):
    """A new, empty server with one superuser `dashboard`; `url` is what DATABASE_URL wants.

    Nothing is flushed to disk: a test's data need not outlive a power cut.
    """

    #: Its "fast" stop: it does not wait until everybody has hung up.
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._programs = programs()
        self.data: Path | None = None
        self.port = free_port()
        self.url = f"postgres://dashboard@127.0.0.1:{self.port}/postgres"

    def user(self) -> str | None:
        return "postgres" if os.getuid() == 0 else None

    def argv(self) -> Sequence[str]:
        off = [f"-c{name}=off" for name in ("fsync", "synchronous_commit", "full_page_writes")]
        return (
            *(str(self._programs / "postgres"), "-D", str(self.data), "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", *off),
        )

    def is_ready(self) -> bool:
        ask = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ask, check=False).returncode == 0

    def new_database(self) -> str:
        """The address of an empty database of its own."""
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{self.url.removesuffix('/postgres')}/{name}"

    def start(self) -> None:
        if self.data is None:
            self.data = self._create()
        super().start()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        if self.data is not None:
            shutil.rmtree(self.data)

    def _create(self) -> Path:
        # Not in `self.folder`: pytest closes its folders to the user who runs the server.
        data = Path(tempfile.mkdtemp(prefix="postgres-"))
        if user := self.user():
            shutil.chown(data, user)
        initdb = [str(self._programs / "initdb"), "-D", str(data), "-U", "dashboard", "-A", "trust"]
        subprocess.run(
            [*initdb, "-N", "-E", "UTF8", "--locale", "C.UTF-8"],
            user=self.user(),
            cwd=data,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return data


def main(command: list[str]) -> int:
    """Run the command beside a new server; its exit code. 0 when PostgreSQL is not installed."""
    try:
        programs()
    except NotInstalled:
        return 0  # the test run that follows names it in its last lines
    with (
        tempfile.TemporaryDirectory(prefix="postgres-") as folder,
        Postgres(Path(folder)) as server,
    ):
        env = {**os.environ, "DATABASE_URL": server.url}
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:]))
