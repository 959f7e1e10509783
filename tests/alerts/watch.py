"""A simulated account watched as a dashboard does it: sync, step events, normals, rules, delivery.

Nothing but the clock is simulated on this side: each round makes the calls that the tasks make, in
one process and one after the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from dashboard import alerts, sync
from dashboard.alerts import KINDS
from dashboard.cloudflare import Client, Credentials
from dashboard.models import Account, AlertChannel, AlertIncident, Instance, normal_learning
from dashboard.models.instance import ERRORED_UNREAD
from dashboard.simulator import server as simulator_server
from dashboard.simulator.world import World
from tests.alerts.rows import rule

#: Reads of step events, five hours each, after which the three days of a scenario are known.
FEEDS = 16


def never() -> bool:
    return False


@dataclass
class Watch(ABC):
    """The account in its world, and one rule of each kind as it is offered."""

    world: World
    account: Account
    channels: list[AlertChannel] = field(default_factory=list, kw_only=True)

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.world.now / 1000, tz=UTC)

    def workflows(self) -> list[int]:
        return [*self.account.workflows.values_list("pk", flat=True)]

    @abstractmethod
    def look(self) -> None:
        """Copies what there is, the details of all failures too, and learns from it."""

    def make_rules(self, running: Iterable[str] = ()) -> None:
        """One of each kind with the terms that its form shows; those that need a workflow for each
        of the `running` ones, by name."""
        for kind in KINDS.values():
            if not kind.NEEDS_WORKFLOW:
                rule(kind.NAME, *self.channels, name=kind.TITLE)
                continue
            for workflow in self.account.workflows.filter(name__in=[*running]):
                rule(kind.NAME, *self.channels, name=kind.TITLE, workflow=workflow)

    def learn(self) -> None:
        normal_learning.learn_normals(now=self.clock(), is_time_up=never)

    def judge(self, at: datetime | None = None) -> None:
        now = at or self.clock()
        alerts.note_readings([self.account.account_id], [], now)
        alerts.judge(now)
        for pk in alerts.due(now):
            alerts.deliver(pk, clock=lambda: now)

    def round(self, length: timedelta) -> None:
        """Time goes on for so long, and then all is done that the tasks do."""
        self.world.advance(length.total_seconds())
        self.look()
        self.judge()

    def opened(self) -> list[AlertIncident]:
        return list(AlertIncident.objects.select_related("rule", "workflow").order_by("opened_at"))


@dataclass
class Synced(Watch):
    """Through the dashboard's client and its sync."""

    client: Client

    def passing(self) -> datetime:
        """The clock, which a sync keeps going by looking at it: with one that stands still it would
        leave what it has looked at a moment ago for later."""
        self.world.advance(0.02)
        return self.clock()

    def look(self) -> None:
        sync.sync_account(self.client, self.account, clock=self.passing)
        while Instance.objects.filter(ERRORED_UNREAD).exists():
            self.world.advance(1)
            sync.freshen(self.client, self.account, clock=self.clock)
        sync.read_steps(self.client, self.account, clock=self.clock)
        self.learn()

    def settle(self) -> None:
        """Until all that Cloudflare still knows is copied and learned from."""
        self.look()
        for _ in range(FEEDS):
            sync.read_steps(self.client, self.account, clock=self.clock)
        self.learn()


@contextmanager
def watching(scenario: str, now: datetime, **facts: float) -> Iterator[Synced]:
    """The dashboard has looked once: it knows what Cloudflare knew then. There is no rule yet."""
    with simulator_server.serve(scenario, now=now, rate_limit=0, **facts) as server:
        account = Account.objects.create(account_id=server.account_id, name="test")
        credentials = Credentials(token=server.token)
        with Client(server.account_id, credentials, base_url=server.url, timeout=60) as client:
            yield Synced(server.world, account, client)
