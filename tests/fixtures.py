"""Fixtures of the rooms that speak to Cloudflare: a simulated account over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import stamina
from django.conf import settings
from django.db import connection as db_connection

from dashboard import connection, sync
from dashboard.cloudflare import Client, Credentials
from dashboard.models import Account, Instance, User, Workflow
from dashboard.models.sealing import SEALS
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="session")
def _static_files() -> None:
    """The test's own web server finds static files where they were written, under plain names."""
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _no_pauses_between_tries() -> Iterator[None]:
    with stamina.set_testing(True, attempts=1):
        yield


@pytest.fixture
def simulator() -> Iterator[Server]:
    """An account without workflows, at 03:00; time stands still until `world.advance(seconds)`."""
    with simulator_server.serve("empty", now=START, rate_limit=0) as server:
        yield server


@pytest.fixture
def configured(simulator: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The simulated account as the one that the environment names."""
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", simulator.url)
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", simulator.account_id)
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", simulator.token)
    yield simulator
    connection.disconnect()


@dataclass
class Watched:
    """The simulated account, the local copy of it, and the clock that both live by."""

    server: Server
    client: Client
    account: Account

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.server.world.now / 1000, tz=UTC)

    def add(self, state: str, *, workflow: str = "orders", **facts: object) -> str:
        """Places an instance in a state; returns its id."""
        return self.server.world.add_instance(workflow, state, **facts)

    def remove(self, instance_id: str, *, workflow: str = "orders") -> None:
        """The account forgets the instance, as it does when retention ends."""
        world = self.server.world
        assert world.workflows[workflow].delete(instance_id, world.now)

    def sync(self) -> Account:
        sync.sync_account(self.client, self.account, clock=self.clock)
        return self.account

    def advance(self, seconds: float) -> None:
        self.server.world.advance(seconds)

    def row(self, instance_id: str) -> Instance:
        return Instance.objects.with_workflow().get(instance_id=instance_id)

    def workflow(self, name: str = "orders") -> Workflow:
        return Workflow.objects.get(name=name, gone_at=None)

    def listed(self, workflow: str = "orders") -> dict[str, str]:
        """What the account itself lists now: id to status."""
        pages = self.client.list_instances(workflow)
        return {row.id: row.status.value for page in pages for row in page.instances}

    def copied(self, workflow: str = "orders") -> dict[str, str]:
        rows = Instance.objects.filter(workflow__name=workflow)
        return dict(rows.values_list("instance_id", "status"))

    def sent(self, method: str = "PATCH") -> list[Any]:
        """The JSON of every request of this method that reached the account."""
        return [
            json.loads(entry["body"]) for entry in self.server.requests if entry["method"] == method
        ]


@pytest.fixture
def watched(db: None, simulator: Server) -> Iterator[Watched]:
    account = Account.objects.create(account_id=simulator.account_id, name="test")
    credentials = Credentials(token=simulator.token)
    with Client(simulator.account_id, credentials, base_url=simulator.url) as client:
        yield Watched(simulator, client, account)


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create(username="olga", role="operator")


@pytest.fixture
def viewer(db: None) -> User:
    return User.objects.create(username="victor", role="viewer")


@pytest.fixture
def unsealed(db: None) -> None:
    """Until the test's end what people did can be changed, to arrange what it looks like."""
    with db_connection.cursor() as cursor:
        for seal in SEALS:
            on = "" if db_connection.vendor == "sqlite" else f" ON {seal.table}"
            cursor.execute(f"DROP TRIGGER IF EXISTS {seal.name}{on}")
