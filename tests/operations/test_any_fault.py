"""Whatever fails and whenever a worker dies: each instance ends in one true way, sent to once."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dashboard import operations, simulator
from dashboard.cloudflare import Client, Credentials, Lane, RateLimit, Spender
from dashboard.models import Account, Instance, Operation, User
from dashboard.models.operation import Kind, Stage
from dashboard.operations import Terms, Wanted
from tests.fixtures import START, Watched
from tests.operations.many import patched

#: Answers that say that nothing was done, and are right.
REFUSALS = ("rate-limited", "challenge")
FAULTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["error-10001", "html", "reset", "cut-off", "rate-limited", "challenge", "empty"]
        ),
        "method": st.sampled_from(["PATCH", "GET"]),
        "times": st.integers(1, 3),
        "executes": st.booleans(),
    }
).map(lambda fault: fault | {"executes": fault["executes"] and fault["kind"] not in REFUSALS})
#: A worker that dies just before a request leaves, or just after its answer has come.
DEATHS = st.tuples(st.integers(1, 12), st.booleans())
PEOPLE = st.sampled_from([Stage.PAUSED, Stage.RUNNING, None, None, None])
ROUND = st.tuples(st.lists(FAULTS, max_size=2), st.none() | DEATHS, PEOPLE)


class Killed(BaseException):
    """What `kill -9` is to the code: nothing can be done about it."""


class Deadly:
    """A gate that kills who passes it, once: before the n-th request, or after its answer."""

    def __init__(self) -> None:
        self.left, self.is_after = 0, False

    def spend(self, lane: Lane, spender: Spender) -> None:
        self._die(is_after=False)

    def told(self, limit: RateLimit | None, *, closed_for: float | None = None) -> None:
        self._die(is_after=True)

    def _die(self, *, is_after: bool) -> None:
        if self.left and self.is_after is is_after:
            self.left -= 1
            if not self.left:
                raise Killed


def lost(kind: str, *, executes: bool) -> dict[str, object]:
    """A PATCH whose answer never comes: whoever sends it again is found out by the log."""
    return {"kind": kind, "method": "PATCH", "times": 1, "executes": executes}


# Each way to lose an answer is tried every time, and then any mixture. Before a change of how
# things are sent, let many more examples run.
@example(rounds=[([lost("reset", executes=False)], None, None)], kind="terminate")
@example(rounds=[([lost("cut-off", executes=True)], None, None)], kind="pause")
@example(rounds=[([lost("html", executes=False)], None, None)], kind="terminate")
@example(rounds=[([], (2, False), None)], kind="terminate")
@example(rounds=[([], (2, True), None)], kind="pause")
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(rounds=st.lists(ROUND, min_size=1, max_size=6), kind=st.sampled_from(["terminate", "pause"]))
def test_each_ends_in_one_way_that_is_true_and_is_sent_to_once(
    db: None,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
    rounds: list[tuple[list[dict[str, object]], tuple[int, bool] | None, Stage | None]],
    kind: str,
) -> None:
    with simulator.serve("empty", now=START, rate_limit=0) as server, transaction.atomic():
        account = Account.objects.create(account_id=server.account_id, name="test")
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", server.account_id)
        gate = Deadly()
        with Client(
            server.account_id, Credentials(token=server.token), base_url=server.url, gate=gate
        ) as client:
            watched = Watched(server, client, account)
            operation = begun(watched, operator, Kind(kind))
            for faults, death, stage in rounds:
                for fault in faults:
                    server.faults.add(**fault)
                gate.left, gate.is_after = death or (0, False)
                run(watched, operation)
                gate.left = 0
                if stage:
                    operations.steer(operation, stage, operator, now=watched.clock())
                watched.advance(3)
            server.faults.clear()
            finish(watched, operation, operator)

        assert max(patched(watched).values(), default=0) <= 1
        for item in operation.items.all():
            status = server.world.status("orders", item.instance_id)
            reached = status == {"terminate": "terminated", "pause": "paused"}[kind]
            assert item.state in {"done", "failed", "skipped"}
            assert (item.state == "done") is reached, (item.instance_id, item.note, status)
        transaction.set_rollback(True)


def begun(watched: Watched, user: User, kind: Kind) -> Operation:
    for index in range(9):
        watched.add("waiting", instance_id=f"i-{index}")
    watched.sync()
    wanted = Wanted(kind=kind, user=user, key=uuid.uuid4())
    operation, _ = operations.begin(
        Instance.objects.filter(workflow__account=watched.account),
        wanted,
        Terms(waves=[1, 3], stop_above=50),
        now=watched.clock(),
    )
    return operation


def run(watched: Watched, operation: Operation) -> None:
    try:
        operations.run(operation.pk, lambda _: watched.client, clock=watched.clock)
    except Killed:
        watched.advance(25)  # Until the lease of the dead has run out.


def finish(watched: Watched, operation: Operation, user: User) -> None:
    """Somebody lets it go on whenever it stands still, until it is over."""
    for _ in range(200):
        run(watched, operation)
        operation.refresh_from_db()
        if operation.stage == Stage.FINISHED:
            return
        if operation.stage in {Stage.PAUSED, Stage.HALTED}:
            operations.steer(operation, Stage.RUNNING, user, now=watched.clock())
        next_run_at = operation.next_run_at or watched.clock()
        late = max(next_run_at - watched.clock(), timedelta(seconds=1))
        watched.advance(late.total_seconds())
    pytest.fail(f"not over: {operation.stage} {operation.note}")
