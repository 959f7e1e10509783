"""The processes' own database, on both kinds, and a house around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from dashboard.simulator import server as simulator_server
from tests.distributed.house import House, new_database, settings_of
from tests.servers.postgres import Postgres
from tests.servers.redis import Redis


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[str, str]]:
    """A database without rows, as the environment of the processes names it."""
    url = ""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.new_database()
    with django_db_blocker.unblock(), new_database(tmp_path, url) as named:
        yield named


@pytest.fixture
def build(
    database: dict[str, str], redis_server: Redis, tmp_path: Path
) -> Iterator[Callable[..., House]]:
    """Makes the house over an account; the arguments are those of the
    simulator."""
    with ExitStack() as stack:

        def make(scenario: str, **simulated: Any) -> House:
            account = stack.enter_context(simulator_server.serve(scenario, **simulated))
            settings = database | settings_of(account, redis_server)
            house = House(tmp_path, account, redis_server, settings)
            stack.callback(house.stop)
            return house

        yield make
