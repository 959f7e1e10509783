"""An hour of everything at once, against Cloudflare's limit as the simulator enforces it.

Two workers, two beats, pages, the back-fill, the event feed, an operation on many, and a person in
Cloudflare's own dashboard share one token, while instances begin and end. Time is the simulated
account's, for the rows and for the budget alike; a wait lets it pass. Limit and account are a tenth
of the real ones, so that the hour is over in seconds; `HOUR_SIZE=1` runs it at full size. The limit
is known from `Ratelimit-Policy`, as Cloudflare's own would be.
"""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from dashboard import operations, sync
from dashboard.cloudflare import Client, Credentials, Lane, Spender
from dashboard.cloudflare.budget import bucket
from dashboard.cloudflare.redis_budget import RedisBudget
from dashboard.models import Account, Instance, Item, Operation, User, leases
from dashboard.models.account import AccountQuerySet
from dashboard.models.operation import Kind, State
from dashboard.operations import Terms, Wanted
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server
from dashboard.sync import finding
from dashboard.sync.account import LEASE
from dashboard.tasks import Work
from tests.fixtures import START
from tests.servers.redis import Redis

#: A part of the real limit, 0.1 to 1.
SIZE = float(os.environ.get("HOUR_SIZE", "0.1"))
QUOTA, SHARE = round(1_200 * SIZE), 0.6
#: Both begin instances in eight workflows: about one a second, and a tenth of that.
SCENARIO = "busy" if SIZE > 0.5 else "huge"
WORKFLOWS, HELD, CHOSEN = round(80 * SIZE), round(20_000 * SIZE), round(300 * SIZE)
EVERY = timedelta(seconds=5)
#: What a person takes elsewhere, in one of the twelve windows: less than background work leaves.
ELSEWHERE = round(0.15 * QUOTA)


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
        """What a beat sends every five seconds, and a worker then does."""
        accounts = Account.objects
        fresh = worker.in_lane(Lane.FRESHNESS, Spender.WORKER)
        self.work(accounts.due(self.clock()), "leased_until", sync.freshen, fresh)
        watching = worker.in_lane(Lane.WATCHED, Spender.WORKER)
        self.work(accounts.feed_due(self.clock()), "next_feed_at", sync.read_feed, watching)
        operations.follow_due(
            lambda _: worker.in_lane(Lane.WATCHED, Spender.OPERATIONS), clock=self.clock
        )
        for pk in operations.due(self.clock()):
            operations.run(
                pk, lambda _: worker.in_lane(Lane.BULK, Spender.OPERATIONS), clock=self.clock
            )
        history = accounts.due_for_history(self.clock())
        filling = worker.in_lane(Lane.BACKFILL, Spender.WORKER)
        self.work(history, "history_leased_until", sync.back_fill, filling)

    def work(self, due: AccountQuerySet, lease: str, do: Work, client: Client) -> None:
        """What one task does."""
        for account in due:
            if leases.take(account, lease, now=self.clock(), duration=LEASE):
                do(client, account, clock=self.clock)

    def is_synced(self) -> bool:
        return Account.objects.filter(synced_at__isnull=False).exists()

    def look(self, web: Client, workflow: str, instance_id: str) -> None:
        """Somebody looks at the page of an instance."""
        found = finding.find_instance(web, web.account_id, workflow, instance_id, now=self.clock())
        assert found.failure == ""

    def pause_all(self, chosen: set[str], user: User) -> None:
        """Begins an operation on many."""
        wanted = Wanted(kind=Kind.PAUSE, user=user, key=uuid.uuid4(), reason="paged at 03:00")
        rows = Instance.objects.filter(instance_id__in=chosen)
        assert rows.count() == len(chosen)
        operations.begin(rows, wanted, Terms(), now=self.clock())

    def most_in_a_window(self, moments: list[datetime]) -> int:
        first = highest = 0
        for last, moment in enumerate(moments):
            while moments[first] <= moment - timedelta(minutes=5):
                first += 1
            highest = max(highest, last - first + 1)
        return highest


@pytest.fixture
def hour(
    db: None, redis_server: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hour]:
    settings.BUDGET_SHARE = 100 * SHARE * SIZE  # So much less may be asked, of the same quota.
    simulated: dict[str, Any] = {"now": START, "rate_limit": QUOTA, "instances": HELD}
    with simulator_server.serve(SCENARIO, **simulated) as server:
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", server.account_id)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", server.token)
        hour = Hour(server, redis_server)
        yield hour
        for client in hour.open:
            client.close()


def test_an_hour_of_everything_at_once_meets_no_429(hour: Hour, operator: User) -> None:
    world = hour.server.world
    names = [f"w{number:02}" for number in range(WORKFLOWS)]
    chosen = {
        world.add_instance(names[number % WORKFLOWS], "waiting", age=60 + number)
        for number in range(CHOSEN)
    }
    looked_at = [(name, world.add_instance(name, "errored", age=30)) for name in names]
    Account.objects.create(account_id=world.account_id, name="test")
    workers, web, elsewhere = [hour.process(), hour.process()], hour.process(), hour.client()
    looks, taken_elsewhere = 0, 0

    while hour.clock() < START + timedelta(hours=1):
        for worker in [*workers, *workers]:  # Two beats send everything twice.
            hour.tick(worker)
        passed = hour.clock() - START
        if hour.is_synced() and passed > looks * timedelta(seconds=30):
            hour.look(web, *looked_at[looks % WORKFLOWS])
            looks += 1
        if passed > timedelta(minutes=20) and not Operation.objects.exists():
            hour.pause_all(chosen, operator)
        if passed > timedelta(minutes=40) and taken_elsewhere < ELSEWHERE:
            next(elsewhere.list_workflows())  # A person in Cloudflare's own dashboard.
            taken_elsewhere += 1
        world.advance(EVERY.total_seconds())

    assert 429 not in {entry["status"] for entry in hour.server.requests}
    passed = (hour.clock() - START).total_seconds()
    moments = [moment for moment, _, _ in hour.passed]
    background = [moment for moment, lane, _ in hour.passed if lane.is_background]
    most, most_background = hour.most_in_a_window(moments), hour.most_in_a_window(background)
    allowed = bucket(SHARE, quota=QUOTA)
    spent = len(background) / (allowed.burst + allowed.rate * passed)
    lanes = Counter(lane.value for _, lane, _ in hour.passed)
    print(f"{dict(lanes)}, {ELSEWHERE} elsewhere; {spent:.1%} of what background work may spend")
    print(f"at most {most} of {QUOTA} in five minutes, {most_background} by background work")
    assert most <= 0.95 * QUOTA
    assert most_background <= SHARE * QUOTA
    # Well spent: there was more to do than the budget allows, and hardly any of it was left over.
    assert 0.95 < spent < 1.01
    # The older pages have their part of freshness, where its lane leaves the back-fill's nothing.
    assert set(Lane) - {Lane.BACKFILL} <= {*lanes}
    assert Instance.objects.count() > 0.75 * HELD
    assert taken_elsewhere == ELSEWHERE
    items = Item.objects.values_list("instance_id", "state")
    assert dict(items) == dict.fromkeys(chosen, State.DONE)
