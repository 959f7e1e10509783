"""A random sequence of faults of both sides, while a small account is copied and operated on.

Everything is drawn from one seed, and time is simulated, so that a storm can be had again.
"""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from dashboard import operations, sync
from dashboard.cloudflare import Client, Lane, RateLimit, Spender
from dashboard.models import Account, Instance, Item, Operation, User
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations import Terms, Wanted
from dashboard.simulator import actions
from dashboard.simulator.errors import Refusal
from dashboard.simulator.server import Server

SPOILT = (
    "error-10001", "html", "reset", "reset", "cut-off", "rate-limited", "challenge", "empty",
    "refused-200", "slow-headers", "error-10001-with-result",
)  # fmt: skip
#: Answers that say that nothing was done, and are right.
REFUSALS = ("rate-limited", "challenge", "refused-200")
PAGING = ("duplicate-rows", "skipped-rows", "repeating-cursor", "no-result-info", "null-fields")
#: What is asked of many, and of instances in which state.
ASKED = {
    Kind.TERMINATE: "waiting",
    Kind.PAUSE: "waiting",
    Kind.RESUME: "paused",
    Kind.RESTART: "errored",
    Kind.SEND_EVENT: "waiting-for-event",
}
EVENT = {"event_type": "approval", "payload": {"by": "storm"}}
STEPS = 18


class Killed(BaseException):
    """What `kill -9` is to the code: nothing can be done about it."""


class Deadly:
    """Kills whoever passes the n-th point: before a request leaves, after its answer has come, or
    between two statements to the database."""

    def __init__(self) -> None:
        self.left = 0

    def spend(self, lane: Lane, spender: Spender) -> None:
        self._pass()

    def told(self, limit: RateLimit | None, *, closed_for: float | None = None) -> None:
        self._pass()

    def statement(
        self, execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            try:
                self._pass()
            except Killed:  # A process takes its cursors with it; this one lives on.
                context["cursor"].close()
                raise
        return execute(sql, params, many, context)

    def _pass(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                raise Killed


@dataclass
class Storm:
    """`told`: what was done, in order, for whoever has to find out why a storm ended badly."""

    seed: int
    server: Server
    client: Client
    gate: Deadly
    user: User
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.off = timedelta(0)
        self.account = Account.objects.create(account_id=self.server.account_id, name="test")
        self.kind = self.chance.choice(list(ASKED))
        self.key = uuid.UUID(int=self.chance.getrandbits(128))
        self.others: set[str] = set()

    def clock(self) -> datetime:
        """Ours, which may be set."""
        now = datetime.fromtimestamp(self.server.world.now / 1000, tz=UTC)
        return now + self.off

    def rage(self) -> None:
        """All of it, to the end: the faults, then calm, until nothing is open any more."""
        for number in range(self.chance.randint(3, 8)):
            self.server.world.add_instance(
                "orders", ASKED[self.kind], instance_id=f"i-{number}", age=60 + number
            )
        for number in range(self.chance.choice([0, 0, 110])):  # More than one page.
            self.server.world.add_instance("refunds", "complete", age=9_000 + number)
        for state in self.chance.choices(["complete", "errored", "waiting", "running"], k=3):
            self.server.world.add_instance("refunds", state)
        self.sync()
        self.operation = self.begin()
        for step in [self.spoil, *self.chance.choices(self.steps, k=STEPS)]:
            self.server.world.advance(self.chance.uniform(0.5, 4))
            self.told.append(step.__name__)
            step()
        self.calm()

    @property
    def steps(self) -> list[Callable[[], None]]:
        return [
            self.spoil, self.spoil, self.spoil, self.spoil_lists, self.work, self.work, self.work,
            self.work, self.work_and_die, self.work_and_die, self.work_and_die, self.sync,
            self.sync_and_die, self.click_again, self.steer, self.somebody_else_acts, self.arrive,
            self.wait_long, self.set_clock,
        ]  # fmt: skip

    @property
    def method(self) -> str:
        """How what is asked for is sent."""
        return "POST" if self.kind is Kind.SEND_EVENT else "PATCH"

    def begin(self) -> Operation:
        wanted = Wanted(
            self.kind, self.user, self.key, "storm", EVENT if self.kind is Kind.SEND_EVENT else {}
        )
        rows = Instance.objects.filter(workflow__name="orders", workflow__account=self.account)
        terms = Terms(waves=[1, 1, 2], stop_above=100)  # Not all at once, or faults come too late.
        operation, _ = operations.begin(rows, wanted, terms, now=self.clock())
        return operation

    # -- what can go wrong -------------------------------------------------------------------------

    def spoil(self) -> None:
        kind = self.chance.choice(SPOILT)
        self.server.faults.add(
            kind,
            method=self.chance.choice([self.method, self.method, "GET"]),
            times=self.chance.randint(1, 3),
            executes=kind not in REFUSALS and self.chance.random() < 0.5,
            retry_after=self.chance.choice([None, 1, 30]) if kind == "rate-limited" else None,
            seconds=0,
        )
        self.told[-1] += f" {self.server.faults.describe()[-1]}"

    def spoil_lists(self) -> None:
        kind = self.chance.choice(PAGING)
        self.server.faults.add(kind, method="GET", path=r"/instances\?", times=2)
        self.told[-1] += f" {kind}"

    def work(self) -> None:
        """What a worker does that got a task, perhaps one that was delivered twice."""
        operations.run(self.operation.pk, lambda _: self.client, clock=self.clock)

    def work_and_die(self) -> None:
        self._die(self.work)

    def sync(self) -> None:
        account = Account.objects.get(pk=self.account.pk)
        sync.sync_account(self.client, account, clock=self.clock)

    def sync_and_die(self) -> None:
        self._die(self.sync)

    def _die(self, work: Callable[[], None]) -> None:
        self.gate.left = self.chance.randint(1, 40)
        with suppress(Killed):
            work()
            self.gate.left = 0
            self.told[-1] += " and survived"
            return
        self.told[-1] += " and died"
        if self.chance.random() < 0.7:
            self.server.world.advance(31)  # Until the leases of the dead have run out.

    def click_again(self) -> None:
        assert self.begin().pk == self.operation.pk

    def steer(self) -> None:
        stage = self.chance.choice([Stage.PAUSED, Stage.RUNNING, Stage.RUNNING, Stage.STOPPED])
        if stage is Stage.STOPPED and self.chance.random() < 0.7:
            return
        self.operation.refresh_from_db()
        operations.steer(self.operation, stage, self.user, now=self.clock())

    def somebody_else_acts(self) -> None:
        """Somebody terminates an instance beside the dashboard."""
        instance_id = f"i-{self.chance.randint(0, 7)}"
        orders, now = self.server.world.workflows["orders"], self.server.world.now
        with suppress(Refusal):
            actions.apply(orders, instance_id, "terminate", now)
            self.others.add(instance_id)

    def arrive(self) -> None:
        self.server.world.add_instance(self.chance.choice(["orders", "refunds"]), "waiting", age=1)

    def wait_long(self) -> None:
        self.server.world.advance(self.chance.choice([20, 61, 200]))

    def set_clock(self) -> None:
        self.off = timedelta(seconds=self.chance.choice([-120, -20, 0, 20, 120]))

    # -- and how it ends ---------------------------------------------------------------------------

    def calm(self) -> None:
        """No fault any more; somebody lets the operation go on; the copy catches up."""
        self.server.faults.clear()
        self.told.append("calm")
        for _ in range(300):
            self.work()
            self.operation.refresh_from_db()
            if self.operation.stage in {Stage.PAUSED, Stage.HALTED}:
                operations.steer(self.operation, Stage.RUNNING, self.user, now=self.clock())
            elif not self.operation.items.unsettled().exists() and (
                self.operation.stage in {Stage.FINISHED, Stage.STOPPED}
            ):
                break
            due = self.operation.next_run_at or self.clock()
            self.server.world.advance(max(1.0, (due - self.clock()).total_seconds()))
        for seconds in (400, 6 * 3600):  # What is missing in a list is looked for every 6 hours.
            self.server.world.advance(seconds)
            self.sync()

    def wrongs(self) -> Iterator[str]:
        """Everything that is not as it has to be; nothing when all is well."""
        for name in ("orders", "refunds"):
            pages = self.client.list_instances(name)
            listed = {row.id: row.status.value for page in pages for row in page.instances}
            rows = Instance.objects.filter(workflow__name=name, workflow__account=self.account)
            copied = dict(rows.values_list("instance_id", "status"))
            for instance_id, status in listed.items():
                if copied.get(instance_id) != status:
                    yield f"{name}/{instance_id} is {status}, here {copied.get(instance_id)}"
        for instance_id, number in self.sent().items():
            if number > 1:
                yield f"{instance_id} was sent to {number} times"
        for item in self.operation.items.all():
            yield from self._wrong(item)

    def sent(self) -> Counter[str]:
        """How often each instance was sent an action or an event."""
        paths = [r["path"] for r in self.server.requests if r["method"] in {"PATCH", "POST"}]
        found = [re.search(r"/instances/([^/]+)/(?:status|events/)", path) for path in paths]
        return Counter(match[1] for match in found if match)

    def _wrong(self, item: Item) -> Iterator[str]:
        if not item.is_settled:
            yield f"{item.instance_id} is {item.state}: {item.note}"
        elif item.state == State.DONE and not (self.has_happened(item) or self.is_open(item)):
            yield f"{item.instance_id} is said to be done: {item.note}"
        elif item.state == State.FAILED and self.has_happened(item):
            yield f"{item.instance_id} is said to have failed: {item.note}"
        elif (
            item.state == State.SKIPPED
            and "Nothing was sent" in item.note
            and (self.sent()[item.instance_id])
        ):
            yield f"{item.instance_id} is said not to be sent: {item.note}"

    def is_open(self, item: Item) -> bool:
        """Whether it says that somebody else may have done it, and somebody else has."""
        return "somebody else's doing" in item.note and item.instance_id in self.others

    def has_happened(self, item: Item) -> bool:
        """Whether what was asked for has happened over there, by the account's own log."""
        took = [
            entry
            for entry in self.server.requests
            if entry["method"] in {"PATCH", "POST"}
            and f"/instances/{item.instance_id}/" in entry["path"]
            and entry["authorised"] is not None  # It was carried out, whatever was answered.
            and (entry["fault"] or entry["status"] < 400)
        ]
        return bool(took)


@contextmanager
def statements_pass(gate: Deadly) -> Iterator[None]:
    with connection.execute_wrapper(gate.statement):
        yield
