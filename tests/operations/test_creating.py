"""Many new instances: nothing leaves before the yes, each is asked for once and has an outcome."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dashboard import operations
from dashboard.cloudflare import Client, Credentials
from dashboard.models import Item, Operation, User
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations import New, Wanted
from dashboard.operations.creating import create_some
from dashboard.operations.proposing import CUT_OFF, LEASE
from tests.fixtures import Watched
from tests.operations.many import states, work


@pytest.fixture(autouse=True)
def _ready(configured: object, watched: Watched) -> None:
    """The account is configured, and its workflow known."""
    watched.add("complete", instance_id="taken")
    watched.sync()


def entries(number: int, **arguments: Any) -> list[New]:
    return [
        New(f"new-{index:04}", {"line": index + 1} | arguments, has_own_id=True)
        for index in range(number)
    ]


def propose(
    watched: Watched, user: User, new: Iterable[New], key: uuid.UUID | None = None
) -> Operation:
    wanted = Wanted(Kind.CREATE, user, key or uuid.uuid4(), "asked to", {"source": "new.csv"})
    return operations.propose(watched.workflow(), new, wanted, clock=watched.clock)[0]


def database_name() -> str:
    return str(connection.settings_dict["NAME"])


def say_yes(watched: Watched, operation: Operation, user: User) -> None:
    assert operations.steer(operation, Stage.RUNNING, user, now=watched.clock())


def batches(watched: Watched) -> list[list[str]]:
    return [[entry["instance_id"] for entry in sent] for sent in watched.sent("POST")]


def test_nothing_is_sent_before_somebody_says_yes(watched: Watched, operator: User) -> None:
    operation = propose(watched, operator, entries(3))
    work(watched, operation)

    assert (operation.stage, states(operation)) == (Stage.PROPOSED, {State.PENDING: 3})
    assert watched.sent("POST") == []
    assert operation.pk not in operations.due(watched.clock())
    assert operation.arguments == {"source": "new.csv", "number": 3, "made_up": 0, "known": 0}


def test_all_are_created_once_in_hundreds_and_seen(watched: Watched, operator: User) -> None:
    operation = propose(watched, operator, entries(350, params={"a": [1, None]}))
    say_yes(watched, operation, operator)

    work(watched, operation)

    assert operation.stage == Stage.FINISHED
    assert states(operation) == {State.DONE: 350}
    posts = [entry for entry in watched.server.requests if entry["method"] == "POST"]
    assert len(posts) == 6  # 1, 25, 3 times 100, 24
    assert '{"instance_id": "new-0000", "params": {"a": [1, null]}}' in posts[0]["body"]
    reads = [entry for entry in watched.server.requests if entry["method"] == "GET"]
    assert len(reads) < 60, "lists tell of many at once"
    assert len(watched.copied()) == 351


def test_an_id_that_exists_is_skipped_by_cloudflare_and_said_so(
    watched: Watched, operator: User
) -> None:
    operation = propose(
        watched, operator, [*entries(30), New("taken", {"line": 31}, has_own_id=True)]
    )
    assert operation.arguments["known"] == 1
    assert "known here" in operation.items.get(instance_id="taken").note
    say_yes(watched, operation, operator)

    work(watched, operation)

    assert states(operation) == {State.DONE: 30, State.SKIPPED: 1}
    item = operation.items.get(instance_id="taken")
    assert (item.state, item.note) == (
        State.SKIPPED,
        "Cloudflare skipped it: an instance with this id exists.",
    )


def test_everything_that_was_given_is_sent(watched: Watched, operator: User) -> None:
    given = {
        "params": 0,
        "success_retention": "3 days",
        "error_retention": 60000,
        "location_hint": "weur",
    }
    operation = propose(watched, operator, [New("all", {"line": 1} | given, has_own_id=True)])
    say_yes(watched, operation, operator)

    work(watched, operation)

    retention = {"success_retention": "3 days", "error_retention": 60000}
    assert watched.sent("POST") == [
        [
            {
                "instance_id": "all",
                "params": 0,
                "instance_retention": retention,
                "location_hint": "weur",
            }
        ]
    ]


def test_what_is_discarded_is_never_sent(watched: Watched, operator: User) -> None:
    operation = propose(watched, operator, entries(3))

    assert operations.steer(operation, Stage.STOPPED, operator, now=watched.clock())
    work(watched, operation)

    assert states(operation) == {State.SKIPPED: 3}
    assert watched.sent("POST") == []
    assert not operations.steer(operation, Stage.RUNNING, operator, now=watched.clock())


def test_what_is_discarded_while_it_is_written_down_is_never_sent(
    watched: Watched, operator: User
) -> None:
    def reading() -> Iterable[New]:
        yield from entries(1500)
        operation = Operation.objects.get()
        assert operations.steer(operation, Stage.STOPPED, operator, now=watched.clock())
        yield New("late", {"line": 1501}, has_own_id=True)

    operation = propose(watched, operator, reading())

    assert Operation.objects.get().stage == Stage.STOPPED
    assert states(operation) == {State.SKIPPED: 1000}  # What came after was not written down.


@pytest.mark.django_db(transaction=True)
def test_a_batch_whose_writer_was_killed_ends_by_itself_and_says_so(
    watched: Watched, operator: User
) -> None:
    command = [sys.executable, "-m", "tests.operations.killed", database_name(), str(operator.pk)]
    ended = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    operation = Operation.objects.get()
    assert (operation.stage, operation.items.count()) == (Stage.READING, 1000)
    assert operation.pk not in operations.due(timezone.now())
    assert not operations.steer(operation, Stage.RUNNING, operator, now=timezone.now())
    later = timezone.now() + LEASE + timedelta(seconds=1)
    assert operation.pk in operations.due(later)

    operations.run(operation.pk, lambda _: watched.client, clock=lambda: later)

    operation.refresh_from_db()
    assert (operation.stage, operation.note) == (Stage.STOPPED, CUT_OFF)
    assert states(operation) == {State.SKIPPED: 1000}
    assert operation.pk not in operations.due(later + LEASE)
    assert watched.sent("POST") == []


def test_a_batch_that_takes_long_is_not_taken_for_one_whose_writer_died(
    watched: Watched, operator: User
) -> None:
    def reading() -> Iterable[New]:
        for new in entries(3500):
            if new.instance_id.endswith("500"):
                watched.advance(LEASE.total_seconds() - 1)
                assert operations.due(watched.clock()) == []
            yield new

    operation = propose(watched, operator, reading())

    assert (operation.stage, states(operation)) == (Stage.PROPOSED, {State.PENDING: 3500})


def test_the_same_form_sent_twice_is_one_operation(watched: Watched, operator: User) -> None:
    key = uuid.uuid4()

    first = propose(watched, operator, entries(3), key)
    second = propose(watched, operator, entries(5), key)

    assert first == second
    assert Item.objects.count() == 3


def test_a_batch_whose_answer_was_lost_is_found_by_looking_not_by_sending(
    watched: Watched, operator: User
) -> None:
    operation = propose(
        watched, operator, [*entries(40), New("taken", {"line": 41}, has_own_id=True)]
    )
    say_yes(watched, operation, operator)
    watched.advance(3600)
    watched.server.faults.add("reset", method="POST", executes=True, times=3)

    work(watched, operation)

    assert sum(map(len, batches(watched))) == len({i for batch in batches(watched) for i in batch})
    assert operation.items.get(instance_id="new-0000").state == State.DONE
    if operation.stage == Stage.HALTED:
        say_yes(watched, operation, operator)
        work(watched, operation)
    taken = operation.items.get(instance_id="taken")
    assert (taken.state, "created before" in taken.note) == (State.SKIPPED, True), taken.note
    assert states(operation) == {State.DONE: 40, State.SKIPPED: 1}


def test_a_batch_that_was_lost_without_effect_ends_as_failed_and_is_proposed_again(
    watched: Watched, operator: User
) -> None:
    operation = propose(watched, operator, entries(1))
    say_yes(watched, operation, operator)
    watched.server.faults.add("html", method="POST", times=1)
    work(watched, operation, seconds=30)
    assert states(operation) == {State.FAILED: 1}
    assert len(watched.sent("POST")) == 1

    again = operations.propose_failed(operation, operator, clock=watched.clock)
    assert (again.stage, again.retry_of) == (Stage.PROPOSED, operation)
    say_yes(watched, again, operator)
    work(watched, again)

    assert states(again) == {State.DONE: 1}
    assert batches(watched) == [["new-0000"], ["new-0000"]]


def test_a_crash_while_a_batch_was_sent_is_never_sent_again(
    watched: Watched, operator: User
) -> None:
    operation = propose(watched, operator, entries(2))
    say_yes(watched, operation, operator)
    items = list(operation.items.select_related("workflow__account"))[:1]

    class Killed(BaseException):
        pass

    class Dies(Client):
        def create_instances(self, *args: Any) -> Any:
            super().create_instances(*args)
            raise Killed

    credentials = Credentials(token=watched.server.token)
    with (
        Dies(watched.account.account_id, credentials, base_url=watched.server.url) as client,
        pytest.raises(Killed),
    ):
        create_some(client, watched.workflow(), items, clock=watched.clock)
    watched.advance(120)
    work(watched, operation)

    assert states(operation) == {State.DONE: 2}
    assert batches(watched) == [["new-0000"], ["new-0001"]]


def test_two_workers_send_a_batch_once(watched: Watched, operator: User) -> None:
    operation = propose(watched, operator, entries(3))
    say_yes(watched, operation, operator)

    stale = list(operation.items.all()), list(operation.items.all())

    first, second = (
        create_some(watched.client, watched.workflow(), items, clock=watched.clock)
        for items in stale
    )

    assert (first, second) == (True, False)
    assert len(batches(watched)) == 1


def test_cloudflare_away_sends_nothing_and_goes_on_by_itself(
    watched: Watched, operator: User
) -> None:
    operation = propose(watched, operator, entries(2))
    say_yes(watched, operation, operator)
    credentials = Credentials(token=watched.server.token)
    with Client(watched.account.account_id, credentials, base_url="http://127.0.0.1:9/x") as away:
        operations.run(operation.pk, lambda _: away, clock=watched.clock)
    operation.refresh_from_db()
    assert states(operation) == {State.PENDING: 2}
    assert "goes on by itself" in operation.note

    watched.advance(60)
    work(watched, operation)

    assert states(operation) == {State.DONE: 2}


def test_a_batch_that_cloudflare_refuses_halts_after_the_first(
    watched: Watched, operator: User
) -> None:
    operation = propose(watched, operator, entries(300, location_hint="moon"))
    say_yes(watched, operation, operator)

    work(watched, operation, rounds=20)

    assert operation.stage == Stage.HALTED
    assert states(operation) == {State.FAILED: 1, State.PENDING: 299}
    assert len(watched.sent("POST")) == 1


def test_a_viewer_who_was_an_operator_creates_nothing_more(
    watched: Watched, operator: User
) -> None:
    operation = propose(watched, operator, entries(3))
    say_yes(watched, operation, operator)
    User.objects.update(role="viewer")

    work(watched, operation, rounds=3)

    assert operation.stage == Stage.PAUSED
    assert watched.sent("POST") == []


def test_a_target_without_batches_gets_one_after_the_other(
    watched: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched.client, "target", replace(watched.client.target, has_batch=False))
    operation = propose(
        watched, operator, [*entries(4), New("taken", {"line": 5}, has_own_id=True)]
    )
    say_yes(watched, operation, operator)

    work(watched, operation)

    assert states(operation) == {State.DONE: 4, State.SKIPPED: 1}
    assert [sent["instance_id"] for sent in watched.sent("POST")] == [
        *(one.instance_id for one in entries(4)),
        "taken",
    ]


@pytest.mark.parametrize("kind", ["rate-limited", "error-10001", "reset", "cut-off", "empty"])
def test_whatever_fails_no_instance_is_asked_for_twice_and_none_is_told_wrongly(
    watched: Watched, operator: User, kind: str
) -> None:
    operation = propose(watched, operator, entries(60))
    say_yes(watched, operation, operator)
    watched.server.faults.add(kind, method="POST", times=2)

    work(watched, operation, seconds=10)
    while operation.stage == Stage.HALTED:
        say_yes(watched, operation, operator)
        work(watched, operation, seconds=10)

    asked = [id_ for batch in batches(watched) for id_ in batch]
    assert len(asked) == len(set(asked)) == 60
    told = dict(operation.items.values_list("instance_id", "state"))
    assert {id_ for id_, state in told.items() if state == State.DONE} == {*watched.listed()} - {
        "taken"
    }
    assert set(told.values()) <= {State.DONE, State.FAILED}
