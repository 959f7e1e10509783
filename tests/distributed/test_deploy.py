"""Everything stopped and started anew, or the database away, amid an operation on many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connections

from tests.distributed.house import COPY, House
from tests.operations.trial import Trial
from tests.servers.dashboard import Dashboard
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.start


def is_as_cloudflare_knows_it(trial: Trial, items: dict[str, tuple[str, str]]) -> bool:
    states = Counter(state for state, _ in items.values())
    assert trial.contradictions(items) == []
    assert states["done"] >= 0.93 * trial.number, states
    return True


def test_a_deploy_amid_an_operation_doubles_and_loses_nothing(build: Callable[..., House]) -> None:
    house = build("empty", rate_limit=12_000)
    house.start_dashboard()
    trial = Trial(house, 200)
    trial.prepare()

    def deploy() -> None:
        """Web, workers and beat are told to end, and the next version starts."""
        [running] = [server for server in house.running if isinstance(server, Dashboard)]
        running.stop()
        running.start()

    items = trial.run(interrupt=deploy, times=2, is_hurried=True)

    assert is_as_cloudflare_knows_it(trial, items)


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_postgresql_gone_and_back_amid_an_operation_doubles_and_loses_nothing(
    build: Callable[..., House], postgres_server: Postgres
) -> None:
    house = build("empty", rate_limit=12_000)
    house.start_dashboard()
    trial = Trial(house, 200)
    trial.prepare()

    def restart() -> None:
        postgres_server.stop()
        postgres_server.start()
        connections[COPY].close()

    items = trial.run(interrupt=restart, times=2, is_hurried=True)

    assert is_as_cloudflare_knows_it(trial, items)
