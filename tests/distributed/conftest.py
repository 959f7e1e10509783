"""The processes' own database, on both kinds, and a house around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from dashboard.simulator import server as simulator_server
from tests.distributed.house import COPY, House
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """A database without rows, as the environment of the processes names it."""
    if request.param == "sqlite":
        named = {"DATA_DIR": str(tmp_path)}
        url = f"sqlite:///{tmp_path / 'dashboard.sqlite3'}"
        options: dict[str, Any] = {"timeout": 20, "transaction_mode": "IMMEDIATE"}
        options["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
    else:
        server: Postgres = request.getfixturevalue("postgres_server")
        url, options = server.new_database(), {}
        named = {"DATA_DIR": str(tmp_path), "DATABASE_URL": url}
    handler = ConnectionHandler({"default": {**dj_database_url.parse(url), "OPTIONS": options}})
    connections.settings[COPY] = handler.settings["default"]
    with django_db_blocker.unblock():
        call_command("migrate", database=COPY, verbosity=0)
        yield named
        connections[COPY].close()
    del connections[COPY], connections.settings[COPY]


@pytest.fixture
def build(
    database: dict[str, str], redis_server: Redis, tmp_path: Path
) -> Iterator[Callable[..., House]]:
    """Makes the house over an account; the arguments are those of the
    simulator."""
    with ExitStack() as stack:

        def make(scenario: str, **simulated: Any) -> House:
            account = stack.enter_context(simulator_server.serve(scenario, **simulated))
            settings = {
                **database,
                "REDIS_URL": redis_server.url,
                "CLOUDFLARE_API_BASE_URL": account.url,
                "CLOUDFLARE_ACCOUNT_ID": account.account_id,
                "CLOUDFLARE_API_TOKEN": account.token,
                "PYTHONWARNINGS": "default",
            }
            house = House(tmp_path, account, redis_server, settings)
            stack.callback(house.stop)
            return house

        yield make
