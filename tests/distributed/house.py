"""Workers and beats of one dashboard as real processes, and what they copy, row by row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models import DateTimeField
from django.db.utils import ConnectionHandler

from dashboard.models import Account, Instance
from dashboard.simulator.server import Server
from tests.servers.dashboard import ROOT, Dashboard
from tests.servers.part import Part, workers_and_beat
from tests.servers.process import Server as TestServer
from tests.servers.redis import Redis
from tests.start.tree import pid_of

#: Under this name the test itself reads the processes' database.
COPY = "copy"
FACTS = ("status", "created_on", "started_on", "ended_on", "version_id", "trigger")

#: (workflow, instance id) to the facts, in the order of FACTS.
Rows = dict[tuple[str, str], tuple[Any, ...]]


@dataclass
class House:
    """`settings` is the environment of all processes; `running` are those that were started."""

    folder: Path
    account: Server
    redis: Redis
    settings: dict[str, str]
    running: list[TestServer] = field(default_factory=list)

    def start_workers(self, number: int = 1) -> None:
        for program in workers_and_beat(number)[0]:
            self._start(Part(self._new_folder(), program, self.settings))

    def start_beat(self) -> None:
        program = workers_and_beat(1)[1]
        self._start(Part(self._new_folder(), program, self.settings))

    def start_dashboard(self, **more: str) -> None:
        """All at once, and each process that ends by itself is started again."""
        self._start(Dashboard(self._new_folder(), **self.settings, **more))

    def _start(self, server: TestServer) -> None:
        server.start()
        self.running.append(server)

    def _new_folder(self) -> Path:
        """Two processes of the same name share nothing but what the settings say."""
        folder = self.folder / f"process{len(self.running)}"
        folder.mkdir()
        return folder

    def kill_workers(self) -> None:
        """`kill -9`, all at once."""
        for worker in self._workers():
            worker.kill()

    def kill_worker(self, queue: str) -> None:
        """`kill -9` of a worker of this queue that `start_dashboard` started and starts again."""
        os.kill(pid_of(Path(self.settings["DATA_DIR"]), f"--queues {queue} "), signal.SIGKILL)

    def shell(self, code: str) -> str:
        """The last line that a piece of code prints in the processes' environment."""
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "--verbosity", "0"]
        done = subprocess.run(
            [*command, "-c", code],
            env={name: os.environ[name] for name in ("PATH", "HOME")} | self.settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().rpartition("\n")[2]

    def stop_workers(self) -> None:
        """As whoever deploys does it."""
        for worker in self._workers():
            worker.stop()

    def _workers(self) -> list[Part]:
        parts = [server for server in self.running if isinstance(server, Part)]
        return [part for part in parts if part.program.name != "beat"]

    def stop(self) -> None:
        for part in self.running:
            part.kill()

    def output(self) -> str:
        """All that the processes have printed."""
        return "\n".join(part.log.read_text(errors="replace") for part in self.running)

    def wait_for(
        self, what: str, is_so: Callable[[], bool], seconds: float = 60.0, every: float = 0.02
    ) -> None:
        """Asks again and again; fails with the processes' output."""
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, f"{what}: never.\n{self.output()[-6000:]}"
            time.sleep(every)

    def pages(self) -> list[str]:
        """The list pages that the dashboard has asked for."""
        return [
            f"{entry['path']}?{entry['query']}"
            for entry in self.account.requests
            if entry["path"].endswith("/instances")
        ]

    def wait_for_pages(self, number: int) -> None:
        """Until the account was asked for so many more list pages. Meanwhile its world goes on."""
        wanted = len(self.pages()) + number

        def were_asked_for() -> bool:
            self.account.world.advance(0.1)
            return len(self.pages()) >= wanted

        self.wait_for(f"{number} pages", were_asked_for)

    def row(self) -> Account | None:
        return Account.objects.using(COPY).first()

    def has_synced_since(self, moment: datetime) -> bool:
        account = self.row()
        return bool(account and account.synced_at and account.synced_at > moment)

    def is_leased(self) -> bool:
        """Whether somebody is in the middle of a sync, or was when it was killed."""
        account = self.row()
        return account is not None and any(getattr(account, name) for name in leases())

    def expire_leases(self) -> None:
        """What a minute of waiting does: the leases of a killed worker end, and all is due."""
        due = [field.name for field in Account._meta.fields if field.name.startswith("next_")]
        past = datetime.now(UTC) - timedelta(seconds=1)
        Account.objects.using(COPY).update(**dict.fromkeys([*leases(), *due], past))

    @contextmanager
    def nobody_writes(self) -> Iterator[None]:
        """Whoever writes instances meanwhile waits in the middle of that."""
        with transaction.atomic(using=COPY):  # In SQLite this alone keeps all others from writing.
            if connections[COPY].vendor == "postgresql":
                with connections[COPY].cursor() as cursor:
                    cursor.execute("LOCK TABLE dashboard_instance IN EXCLUSIVE MODE")
            yield

    def copied(self) -> Rows:
        rows = Instance.objects.using(COPY).values_list("workflow__name", "instance_id", *FACTS)
        return {(workflow, id_): tuple(facts) for workflow, id_, *facts in rows}

    def listed(self) -> Rows:
        """What the account lists now, read by nothing of the dashboard, with a token of its own."""
        rows: Rows = {}
        for name in list(self.account.world.workflows):
            page = 1
            while found := self._get(f"/workflows/{name}/instances?per_page=100&page={page}"):
                rows |= {(name, row["id"]): facts_of(row) for row in found}
                page += 1
        return rows

    def wait_until_equal(self) -> None:
        """Until the copy is the list, row by row, in a world that stands still; rows that the
        account has forgotten may stay."""
        listed, world = self.listed(), self.account.world

        def is_equal() -> bool:
            copied = self.copied()
            gone = {key for key in copied.keys() - listed.keys() if world.status(*key) is None}
            return {key: facts for key, facts in copied.items() if key not in gone} == listed

        self.wait_for("the copy equals the list", is_equal, seconds=120)

    def statuses(self) -> set[int]:
        """The status codes of all that the account has answered."""
        return {entry["status"] for entry in self.account.requests}

    def _get(self, path: str) -> list[dict[str, Any]]:
        request = urllib.request.Request(
            f"{self.account.url}/accounts/{self.account.account_id}{path}",
            headers={"authorization": f"Bearer {self.account.read_only_token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: list[dict[str, Any]] = json.load(answer)["result"]
        return result


@contextmanager
def new_database(folder: Path, url: str = "") -> Iterator[dict[str, str]]:
    """A database without rows, as the environment of the processes names it; here it is COPY.

    `url`: an empty one of PostgreSQL; else it is SQLite, in the folder.
    """
    named = {"DATA_DIR": str(folder)}
    options: dict[str, Any] = {}
    if url:
        named["DATABASE_URL"] = url
    else:
        url = f"sqlite:///{folder / 'dashboard.sqlite3'}"
        options = {"timeout": 20, "transaction_mode": "IMMEDIATE"}
        options["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
    handler = ConnectionHandler({"default": {**dj_database_url.parse(url), "OPTIONS": options}})
    connections.settings[COPY] = handler.settings["default"]
    try:
        call_command("migrate", database=COPY, verbosity=0)
        yield named
    finally:
        connections[COPY].close()
        del connections[COPY], connections.settings[COPY]


def settings_of(account: Server, redis: Redis) -> dict[str, str]:
    """The environment of processes that watch this account."""
    return {
        "REDIS_URL": redis.url,
        "CLOUDFLARE_API_BASE_URL": account.url,
        "CLOUDFLARE_ACCOUNT_ID": account.account_id,
        "CLOUDFLARE_API_TOKEN": account.token,
        "PYTHONWARNINGS": "default",
    }


def leases() -> list[str]:
    return [
        field.name
        for field in Account._meta.fields
        if isinstance(field, DateTimeField) and field.name.endswith("leased_until")
    ]


def facts_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """The facts of a list row, as the API writes them."""
    moments = [row[name] and datetime.fromisoformat(row[name]) for name in FACTS[1:4]]
    return row["status"], *moments, row["version_id"], row["trigger_source"]
