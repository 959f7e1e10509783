"""Under Cloudflare's own limit, in the simulator's time: never refused, and as long as foretold."""

from __future__ import annotations

import pytest

from dashboard import operations
from dashboard.cloudflare import Client, Credentials, Lane, Spender
from dashboard.cloudflare.redis_budget import RedisBudget
from dashboard.models import Account, Instance, User
from dashboard.models.operation import Kind
from dashboard.simulator import server as simulator_server
from tests.fixtures import START, Watched
from tests.operations.many import add, begin, patched, states, work
from tests.servers.redis import Redis

NUMBER = 200


def test_an_operation_on_200_stays_below_the_limit_and_keeps_its_promise(
    db: None, redis_server: Redis, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulator_server.serve("empty", now=START, rate_limit=1_200) as server:
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", server.account_id)
        budget = RedisBudget(
            redis_server.url,
            "fingerprint",
            share=0.6,
            clock=lambda: server.world.now / 1000,
            sleep=server.world.advance,
        )
        monkeypatch.setattr("dashboard.connection.budget_of", lambda account: budget)
        account = Account.objects.create(account_id=server.account_id, name="test")
        credentials = Credentials(token=server.token)
        with Client(server.account_id, credentials, base_url=server.url, gate=budget) as client:
            bulk = client.in_lane(Lane.BULK, Spender.OPERATIONS)
            watched = Watched(server, bulk, account)
            add(watched, "waiting", NUMBER)
            foretold = operations.plan(Kind.TERMINATE, Instance.objects.all(), operator).seconds
            began = watched.clock()

            operation = begin(watched, operator, Kind.TERMINATE)
            work(watched, operation, rounds=2000)

            took = (watched.clock() - began).total_seconds()
        budget.close()
        assert states(operation) == {"done": NUMBER}
        assert set(patched(watched).values()) == {1}
        assert {entry["status"] for entry in server.requests} == {200}
        assert foretold is not None
        assert 0.8 * foretold < took < 1.5 * foretold, (foretold, took)
