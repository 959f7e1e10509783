"""Two workers and two beats on one account, and Redis restarted: no work twice, none lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.celery import app
from dashboard.cloudflare import Credentials
from dashboard.cloudflare.redis_budget import RedisBudget
from dashboard.models import Account
from dashboard.simulator.messages import Request, Response
from dashboard.simulator.server import Server
from tests.distributed.house import COPY, House, leases

pytestmark = pytest.mark.start

QUOTA = 6_000


class Slowly:
    """Lets the account answer each list after a moment, and counts those under way at once."""

    def __init__(self, account: Server) -> None:
        self.syncs = self.now = self.most = 0
        self._handle, self._lock = account.service.handle, threading.Lock()
        account.service.handle = self.handle  # type: ignore[method-assign]

    def handle(self, request: Request) -> Response:
        if not request.path.endswith(("/workflows", "/instances")):
            return self._handle(request)
        with self._lock:
            self.syncs += request.path.endswith("/workflows")
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.05)
        try:
            return self._handle(request)
        finally:
            with self._lock:
                self.now -= 1


def test_two_workers_and_two_beats_do_no_work_twice_and_lose_none(
    build: Callable[..., House],
) -> None:
    """A sync asks for one page after the other. So when never more pages are under way at once than
    there are leases, no two syncs are, and none is asked for twice at the same time."""
    house = build("incident", now=datetime.now(UTC), rate_limit=QUOTA, instances=400)
    slowly = Slowly(house.account)
    house.start_workers(2)
    house.start_beat()
    house.start_beat()

    def is_enough() -> bool:
        house.account.world.advance(0.1)
        return slowly.syncs >= 4

    house.wait_for("some syncs", is_enough, seconds=120)
    assert slowly.most <= len(leases())
    house.wait_until_equal()
    assert house.statuses() == {200}


@pytest.mark.parametrize(
    "database", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
def test_when_redis_is_emptied_in_the_middle_all_goes_on_and_what_was_spent_is_known(
    build: Callable[..., House],
) -> None:
    house = build("incident", now=datetime.now(UTC), rate_limit=QUOTA, instances=1_500)
    house.start_dashboard(CELERY_WORKERS="2")
    house.wait_for_pages(20)

    house.redis.stop()
    spent, restarted_at = len(house.account.requests), datetime.now(UTC)
    house.redis.start()
    house.wait_for("a sync", lambda: house.has_synced_since(restarted_at))

    fingerprint = Credentials(token=house.account.token).fingerprint
    reading = RedisBudget(house.redis.url, fingerprint, share=0.6).read()
    assert reading is not None
    assert reading.quota == QUOTA
    assert reading.used > spent  # Told by Cloudflare's answers; Redis had forgotten it.
    house.wait_until_equal()
    assert house.statuses() == {200}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_task_is_acknowledged_when_it_is_done_so_that_another_worker_can_do_it(
    build: Callable[..., House],
) -> None:
    house = build("incident", now=datetime.now(UTC), rate_limit=QUOTA, instances=200)
    Account.objects.using(COPY).create(account_id=house.account.account_id, name="test")
    url = house.redis.url.replace("unix://", "redis+socket://")
    house.account.faults.add("slow-headers", seconds=0.2)
    with app.connection_for_write(url) as broker:
        app.send_task("dashboard.tasks.sync_account", [house.account.account_id], connection=broker)
        house.start_workers()
        house.wait_for_pages(3)
        house.kill_workers()
        house.account.faults.clear()
        house.expire_leases()
        client = broker.default_channel.client
        [kept] = [json.loads(value) for value in client.hvals("unacked")]
        assert kept[0]["headers"]["task"] == "dashboard.tasks.sync_account"
        assert not house.has_synced_since(datetime.min.replace(tzinfo=UTC))

        [tag] = client.hkeys("unacked")
        long_ago = datetime.now(UTC) - timedelta(hours=1)  # Beyond the visibility timeout.
        client.zadd("unacked_index", {tag: long_ago.timestamp()})
        house.start_workers()

        house.wait_until_equal()
        house.wait_for("it is acknowledged", lambda: client.hlen("unacked") == 0)
