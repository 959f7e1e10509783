"""An hour of everything at once, against Cloudflare's limit as the simulator enforces it.

Two workers, two beats, pages, a bulk operation and a person in Cloudflare's own dashboard share one
token. Time is the simulated account's, for the rows and for the budget alike; a wait lets it pass.
Limit and traffic are a tenth of the real ones, so that the hour is over in seconds; `HOUR_SIZE=1`
runs it at full size, where the standing world asks for less than there is. The limit is known from
`Ratelimit-Policy`, as Cloudflare's own would be.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dashboard import operations, sync
from dashboard.cloudflare import Client, Credentials, Lane, Spender
from dashboard.cloudflare.redis_budget import RedisBudget
from dashboard.models import Account, Item, User, Workflow
from dashboard.models.operation import Kind, State
from dashboard.operations import Wanted
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server
from dashboard.sync import finding
from dashboard.sync.account import LEASE
from tests.fixtures import START
from tests.servers.redis import Redis

#: A part of the real traffic, 0.1 to 1.
SIZE = float(os.environ.get("HOUR_SIZE", "0.1"))
WORKFLOWS = round(80 * SIZE)
QUOTA, SHARE = round(1_200 * SIZE), 0.6
EVERY = 5


class Watching(RedisBudget):
    """A process' budget that keeps what it let through."""

    passed: list[tuple[datetime, Lane, Spender]]
    hour: Hour

    def spend(self, lane: Lane, spender: Spender) -> None:
        super().spend(lane, spender)
        self.passed.append((self.hour.clock(), lane, spender))


@dataclass
class Hour:
    """The processes of one dashboard, and what a person does elsewhere with the same token."""

    server: Server
    redis: Redis
    passed: list[tuple[datetime, Lane, Spender]] = field(default_factory=list)
    open: list[Client] = field(default_factory=list)

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.server.world.now / 1000, tz=UTC)

    def client(self, gate: RedisBudget | None = None) -> Client:
        credentials = Credentials(token=self.server.token)
        client = Client(
            self.server.account_id, credentials, base_url=self.server.url, gate=gate, timeout=60
        )
        self.open.append(client)
        return client

    def process(self) -> Client:
        """The client of another process of the dashboard."""
        budget = Watching(
            self.redis.url,
            Credentials(token=self.server.token).fingerprint,
            share=SHARE,
            clock=lambda: self.server.world.now / 1000,
            sleep=self.server.world.advance,
        )
        budget.hour, budget.passed = self, self.passed
        return self.client(budget)

    def tick(self, worker: Client) -> None:
        """What a beat sends every two seconds, and a worker then does."""
        for account in Account.objects.due(self.clock()):
            if account.take_lease(self.clock(), LEASE):
                worker = worker.in_lane(Lane.FRESHNESS, Spender.WORKER)
                sync.sync_account(worker, account, clock=self.clock)
        operations.follow_due(
            lambda _: worker.in_lane(Lane.WATCHED, Spender.OPERATIONS), clock=self.clock
        )

    def is_synced(self) -> bool:
        return Account.objects.filter(synced_at__isnull=False).exists()

    def look(self, web: Client, workflow: str, instance_id: str) -> None:
        """Somebody looks at the page of an instance."""
        found = finding.find_instance(web, web.account_id, workflow, instance_id, now=self.clock())
        assert found.failure is None, found.failure

    def pause(self, web: Client, workflow: str, instance_id: str, user: User) -> None:
        """One item of a bulk operation."""
        operations.perform(
            web.in_lane(Lane.PERSON, Spender.OPERATIONS),
            Workflow.objects.get(name=workflow),
            instance_id,
            Wanted(kind=Kind.PAUSE, user=user, key=uuid.uuid4(), reason="bulk"),
            clock=self.clock,
        )

    def most_in_a_window(self, moments: list[datetime]) -> int:
        first = highest = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - timedelta(minutes=5):
                first += 1
            highest = max(highest, last - first + 1)
        return highest


@pytest.fixture
def hour(db: None, redis_server: Redis) -> Iterator[Hour]:
    with simulator_server.serve("empty", now=START, rate_limit=QUOTA) as server:
        hour = Hour(server, redis_server)
        yield hour
        for client in hour.open:
            client.close()


def test_an_hour_of_everything_at_once_meets_no_429(hour: Hour, operator: User) -> None:
    world = hour.server.world
    ids = [
        (f"w{n:02}", world.add_instance(f"w{n:02}", "waiting", age=60 + n))
        for n in range(WORKFLOWS)
    ]
    for workflow, _ in ids:
        world.add_instance(workflow, "errored", age=30)
    Account.objects.create(account_id=world.account_id, name="test")
    workers, web, elsewhere = [hour.process(), hour.process()], hour.process(), hour.client()
    bulk = ids[:8]
    bulk_size = len(bulk)

    while hour.clock() < START + timedelta(hours=1):
        for worker in [*workers, *workers]:  # Two beats send everything twice.
            hour.tick(worker)
        seconds = (hour.clock() - START) // timedelta(seconds=1)
        if seconds % 30 < EVERY and hour.is_synced():
            hour.look(web, *ids[seconds // 60 % WORKFLOWS])
        if seconds > 1200 and seconds % 60 < EVERY and bulk:
            hour.pause(web, *bulk.pop(), operator)
        if 2400 < seconds < 2700 and seconds % 30 < EVERY:
            next(elsewhere.list_workflows())  # A person in Cloudflare's own dashboard.
        world.advance(EVERY)

    assert Counter(entry["status"] for entry in hour.server.requests).keys() == {200}
    lanes = [lane for _, lane, _ in hour.passed]
    background = [moment for moment, lane, _ in hour.passed if lane.is_background]
    assert hour.most_in_a_window([moment for moment, _, _ in hour.passed]) <= 0.95 * QUOTA
    assert hour.most_in_a_window(background) <= SHARE * QUOTA
    # Well spent: there was more to do than the budget allows, and hardly any of it was left over.
    assert SIZE > 0.1 or len(background) > 0.8 * SHARE * QUOTA * 12
    assert set(lanes) == set(Lane) - {Lane.BULK}  # Its operations are on one instance each.
    assert Item.objects.filter(state=State.DONE).count() == bulk_size
