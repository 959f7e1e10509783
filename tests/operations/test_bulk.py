"""One operation on many: each instance ends in one way, which is true, and is sent to once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from dashboard import operations
from dashboard.cloudflare import Client, Credentials
from dashboard.cloudflare.types import Action
from dashboard.models import Instance, Item, Operation, User
from dashboard.models.kept import KeptForGood
from dashboard.models.list_row import list_rows
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations import beginning
from tests.fixtures import Watched
from tests.gates import Allowing
from tests.operations.many import add, begin, patched, states, work


@pytest.fixture(autouse=True)
def _configured(configured: object) -> None:
    """Nothing can be asked of an account that is not configured."""


@pytest.mark.parametrize(
    ("kind", "state", "ends"),
    [
        (Kind.PAUSE, "waiting", {"paused"}),
        (Kind.RESUME, "paused", {"running", "waiting", "queued"}),
        (Kind.TERMINATE, "waiting", {"terminated"}),
        (Kind.RESTART, "errored", {"queued", "running", "waiting", "complete"}),
    ],
)
def test_each_is_done_once_it_was_seen_in_that_state(
    watched: Watched, operator: User, kind: Kind, state: str, ends: set[str]
) -> None:
    ids = add(watched, state, 40)

    operation = begin(watched, operator, kind)
    work(watched, operation)

    assert states(operation) == {State.DONE: 40}
    assert patched(watched) == dict.fromkeys(ids, 1)
    assert set(watched.listed().values()) <= ends
    assert operation.stage == Stage.FINISHED


def test_who_claims_an_instance_looks_at_the_row_itself(watched: Watched, operator: User) -> None:
    """A row found by a subquery is not asked again after waiting for another who claimed it."""
    add(watched, "waiting", 2)
    operation = begin(watched, operator, Kind.PAUSE)

    with CaptureQueriesContext(connection) as queries:
        work(watched, operation)

    changes = [q["sql"] for q in queries if q["sql"].startswith('UPDATE "dashboard_item"')]
    claims = [sql for sql in changes if '"before" = ' in sql]
    assert len(claims) == 2
    assert not [sql for sql in claims if "IN (SELECT" in sql]


def test_an_event_reaches_all_that_wait_for_it(watched: Watched, operator: User) -> None:
    add(watched, "waiting-for-event", 12)
    arguments = {"event_type": "approval", "payload": {"ok": True}}

    operation = begin(watched, operator, Kind.SEND_EVENT, arguments=arguments)
    work(watched, operation)

    assert states(operation) == {State.DONE: 12}
    assert watched.sent("POST") == [{"ok": True}] * 12


def test_what_cannot_be_asked_is_skipped_without_a_request(
    watched: Watched, operator: User
) -> None:
    add(watched, "waiting", 3)
    watched.add("complete", instance_id="over")
    watched.advance(600)
    watched.sync()
    before = len(watched.server.requests)

    operation = begin(watched, operator, Kind.TERMINATE)

    over = operation.items.get(instance_id="over")
    assert (over.state, over.wave) == (State.SKIPPED, 0)
    assert "It has ended: this instance is complete." in over.note
    assert len(watched.server.requests) == before
    work(watched, operation)
    assert states(operation) == {State.DONE: 3, State.SKIPPED: 1}


def test_the_instances_are_frozen_when_it_begins(watched: Watched, operator: User) -> None:
    ids = add(watched, "waiting", 3)
    operation = begin(watched, operator, Kind.TERMINATE)
    watched.add("waiting", instance_id="later")
    watched.advance(600)
    watched.sync()
    assert watched.row("later")

    work(watched, operation)

    assert set(patched(watched)) == set(ids)
    assert watched.listed()["later"] == "waiting"


def test_the_same_form_sent_twice_is_one_operation(watched: Watched, operator: User) -> None:
    add(watched, "waiting", 3)
    key = uuid.uuid4()

    first = begin(watched, operator, Kind.PAUSE, key=key)
    second = begin(watched, operator, Kind.PAUSE, key=key)

    assert first == second
    assert Item.objects.count() == 3


def test_one_that_is_cut_off_while_it_is_written_down_was_never_asked_for(
    watched: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(watched, "waiting", 3)
    key, write_items = uuid.uuid4(), beginning._write_items

    def cut_off(*args: Any) -> None:
        write_items(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(beginning, "_write_items", cut_off)
    with pytest.raises(KeyboardInterrupt):
        begin(watched, operator, Kind.TERMINATE, key=key)
    monkeypatch.setattr(beginning, "_write_items", write_items)
    assert Operation.objects.count() == Item.objects.count() == 0

    again = begin(watched, operator, Kind.TERMINATE, key=key)

    work(watched, again)
    assert states(again) == {State.DONE: 3}


def test_one_that_changed_meanwhile_is_skipped_with_why(watched: Watched, operator: User) -> None:
    add(watched, "waiting", 2)
    operation = begin(watched, operator, Kind.TERMINATE)
    watched.client.change_instance_status("orders", "i-0001", Action.TERMINATE)

    work(watched, operation)

    item = operation.items.get(instance_id="i-0001")
    assert item.state == State.SKIPPED
    assert "terminated" in item.note
    assert patched(watched)["i-0001"] == 1  # only the other person's


def test_one_that_was_restarted_meanwhile_is_skipped(watched: Watched, operator: User) -> None:
    add(watched, "errored", 2)
    operation = begin(watched, operator, Kind.RESTART)
    watched.advance(5)
    watched.client.change_instance_status("orders", "i-0000", Action.RESTART)
    watched.advance(5)

    work(watched, operation)

    item = operation.items.get(instance_id="i-0000")
    assert item.state == State.SKIPPED
    assert "restarted after the page" in item.note


def test_one_that_is_gone_is_skipped(watched: Watched, operator: User) -> None:
    add(watched, "waiting", 2)
    watched.advance(3600)
    operation = begin(watched, operator, Kind.TERMINATE)
    watched.remove("i-0000")

    work(watched, operation)

    assert operation.items.get(instance_id="i-0000").state == State.SKIPPED
    assert operation.items.get(instance_id="i-0001").state == State.DONE


class TestWaves:
    def test_one_then_five_then_twenty_five_then_the_rest(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 40)

        operation = begin(watched, operator, Kind.TERMINATE)

        waves = list(operation.items.order_by("pk").values_list("wave", flat=True))
        assert waves == [1] + [2] * 5 + [3] * 25 + [4] * 9

    def test_it_stops_itself_when_a_wave_fails(self, watched: Watched, operator: User) -> None:
        add(watched, "waiting", 40)
        watched.server.faults.add("error-10001", method="PATCH")

        operation = begin(watched, operator, Kind.TERMINATE)
        work(watched, operation)

        assert operation.stage == Stage.HALTED
        assert operation.note == "1 of 1 failed."
        assert states(operation) == {State.FAILED: 1, State.PENDING: 39}
        assert operation.next_run_at is None

    def test_a_failing_rest_is_noticed_before_its_end(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 200)
        operation = begin(watched, operator, Kind.TERMINATE, waves=[1])
        order = list(operation.items.order_by("pk").values_list("instance_id", flat=True))
        watched.server.faults.add("rate-limited", method="PATCH", path="|".join(order[80:]))

        work(watched, operation)

        assert operation.stage == Stage.HALTED
        assert operation.note == "20 of 99 failed."
        assert states(operation)[State.FAILED] == 20

    def test_who_goes_on_all_the_same_is_obeyed(self, watched: Watched, operator: User) -> None:
        add(watched, "waiting", 40)
        watched.server.faults.add("rate-limited", method="PATCH", times=1)
        operation = begin(watched, operator, Kind.TERMINATE)
        work(watched, operation)
        assert operation.stage == Stage.HALTED

        assert operations.steer(operation, Stage.RUNNING, operator, now=watched.clock())
        work(watched, operation)

        assert operation.stage == Stage.FINISHED
        assert states(operation) == {State.FAILED: 1, State.DONE: 39}

    def test_a_higher_threshold_lets_it_go_on(self, watched: Watched, operator: User) -> None:
        add(watched, "waiting", 10)
        watched.server.faults.add("rate-limited", method="PATCH", times=1)

        operation = begin(watched, operator, Kind.TERMINATE, stop_above=100)
        work(watched, operation)

        assert states(operation) == {State.FAILED: 1, State.DONE: 9}

    def test_a_pause_that_takes_hours_does_not_hold_the_next_wave_up(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "running", 40)

        operation = begin(watched, operator, Kind.PAUSE)
        work(watched, operation, rounds=10)
        assert states(operation) == {State.ACCEPTED: 40}
        watched.advance(7 * 3600)
        work(watched, operation)

        assert states(operation) == {State.DONE: 40}
        assert sum(patched(watched).values()) == 40


class TestSteering:
    def test_a_paused_one_sends_nothing_until_it_is_resumed(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        operations.steer(operation, Stage.PAUSED, operator, now=watched.clock())

        work(watched, operation)
        assert patched(watched) == {}
        operations.steer(operation, Stage.RUNNING, operator, now=watched.clock())
        work(watched, operation)

        assert states(operation) == {State.DONE: 5}
        assert [change.stage for change in operation.changes.all()] == [
            Stage.RUNNING,
            Stage.PAUSED,
            Stage.RUNNING,
            Stage.FINISHED,
        ]

    def test_a_stopped_one_never_sends_again_and_says_by_whom(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        operations.steer(operation, Stage.STOPPED, operator, now=watched.clock())

        assert not operations.steer(operation, Stage.RUNNING, operator, now=watched.clock())
        work(watched, operation)

        assert states(operation) == {State.SKIPPED: 5}
        assert operation.items.all()[0].note == "Nothing was sent. olga stopped the operation."
        assert patched(watched) == {}

    def test_a_stop_between_the_read_and_the_request_is_in_time(
        self, watched: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        read = Client.get_instance

        def stopped_meanwhile(*args: object, **options: object) -> object:
            operations.steer(operation, Stage.STOPPED, operator, now=watched.clock())
            return read(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Client, "get_instance", stopped_meanwhile)
        work(watched, operation)

        assert patched(watched) == {}
        assert states(operation) == {State.SKIPPED: 5}

    def test_nothing_is_sent_once_the_dashboard_is_read_only(
        self, watched: Watched, operator: User, settings: Settings
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        settings.READ_ONLY = True

        work(watched, operation)

        assert patched(watched) == {}
        assert (operation.stage, "READ_ONLY" in operation.note) == (Stage.PAUSED, True)

    def test_one_whose_person_lost_their_role_waits_for_another_operator_to_take_it_over(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        User.objects.filter(pk=operator.pk).update(role="viewer")

        work(watched, operation)
        assert (operation.stage, patched(watched)) == (Stage.PAUSED, {})
        assert operation.note == (
            "olga may no longer act on instances. Another operator can resume it."
        )
        another = User.objects.create(username="ana", role="operator")
        operations.steer(operation, Stage.RUNNING, another, now=watched.clock())
        work(watched, operation)

        assert states(operation) == {State.DONE: 5}
        assert operation.requested_by == operator
        assert operation.changes.filter(changed_by=another).get().stage == Stage.RUNNING

    def test_nobody_works_on_one_that_somebody_works_on(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        assert operations.due(watched.clock()) == [operation.pk]

        assert operation.take_lease(watched.clock(), timedelta(seconds=20))

        assert operations.due(watched.clock()) == []
        operations.run(operation.pk, lambda _: watched.client, clock=watched.clock)
        assert patched(watched) == {}

    def test_of_many_operations_two_are_worked_on_at_once(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 1)
        made = [begin(watched, operator, Kind.TERMINATE) for _ in range(5)]
        assert len(operations.due(watched.clock())) == 2

        assert made[0].take_lease(watched.clock(), timedelta(seconds=20))

        assert len(operations.due(watched.clock())) == 1


class TestWhatGoesWrong:
    def test_a_spent_budget_leaves_the_rest_for_later(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 10)
        operation = begin(watched, operator, Kind.TERMINATE)
        gate = Allowing(5)
        watched.client._transport._gate = gate

        operations.run(operation.pk, lambda _: watched.client, clock=watched.clock)

        operation.refresh_from_db()
        assert "budget" in operation.note.lower()
        assert operation.next_run_at == watched.clock() + timedelta(seconds=40)
        assert states(operation)[State.PENDING] > 0
        assert State.FAILED not in states(operation)
        gate.left = 1000
        watched.advance(40)
        work(watched, operation)
        assert states(operation) == {State.DONE: 10}

    def test_cloudflare_away_leaves_the_rest_for_later(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 5)
        operation = begin(watched, operator, Kind.TERMINATE)
        away = Client("acc", Credentials(token="x"), base_url="http://127.0.0.1:9/client/v4")

        operations.run(operation.pk, lambda _: away, clock=watched.clock)

        operation.refresh_from_db()
        assert states(operation) == {State.PENDING: 5}
        assert "It goes on by itself." in operation.note
        watched.advance(15)
        work(watched, operation)
        assert states(operation) == {State.DONE: 5}

    def test_a_refused_429_fails_and_is_not_sent_again(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 30)
        watched.server.faults.add("rate-limited", method="PATCH", times=2, path="i-000")
        operation = begin(watched, operator, Kind.TERMINATE, stop_above=100)

        work(watched, operation)

        assert states(operation) == {State.FAILED: 2, State.DONE: 28}
        assert set(patched(watched).values()) == {1}

    def test_a_lost_answer_is_watched_and_not_sent_again(
        self, watched: Watched, operator: User
    ) -> None:
        add(watched, "waiting", 6)
        watched.server.faults.add("reset", method="PATCH", executes=True, times=1, path="i-0003")
        watched.server.faults.add("html", method="PATCH", times=1, path="i-0002")
        operation = begin(watched, operator, Kind.TERMINATE, stop_above=100)

        work(watched, operation)

        assert states(operation) == {State.DONE: 5, State.FAILED: 1}
        assert operation.items.get(instance_id="i-0003").state == State.DONE
        assert "not seen to happen" in operation.items.get(instance_id="i-0002").note
        assert set(patched(watched).values()) == {1}

    def test_an_account_that_is_not_configured_any_more_is_skipped(
        self, watched: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add(watched, "waiting", 3)
        operation = begin(watched, operator, Kind.TERMINATE)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "another")

        work(watched, operation)

        assert states(operation) == {State.SKIPPED: 3}
        assert "no longer watches account" in operation.items.all()[0].note


class TestDeleting:
    def test_it_is_offered_only_where_the_target_can(
        self, watched: Watched, settings: Settings
    ) -> None:
        assert Kind.DELETE not in operations.kinds_on_offer()

        settings.CLOUDFLARE_UNDOCUMENTED_ROUTES = True

        assert Kind.DELETE in operations.kinds_on_offer()

    def test_it_is_done_once_cloudflare_no_longer_finds_it(
        self, watched: Watched, operator: User, settings: Settings
    ) -> None:
        settings.CLOUDFLARE_UNDOCUMENTED_ROUTES = True
        add(watched, "complete", 4, age=7200)
        watched.client._allow_undocumented = True

        operation = begin(watched, operator, Kind.DELETE)
        work(watched, operation)

        assert states(operation) == {State.DONE: 4}
        assert watched.listed() == {}
        assert Instance.objects.filter(expired_at=None).count() == 0


def test_what_people_did_cannot_be_changed_or_deleted(watched: Watched, operator: User) -> None:
    add(watched, "waiting", 1)
    operation = begin(watched, operator, Kind.PAUSE)
    item = operation.items.get()

    for change in (
        operation.save,
        operation.delete,
        item.save,
        item.delete,
        operation.items.all().delete,
        Operation.objects.all().delete,
    ):
        with pytest.raises(KeptForGood):
            change()
    work(watched, operation)
    assert not item.write(state=State.FAILED, note="changed")
    item.refresh_from_db()
    assert item.state == State.DONE


def test_what_is_being_done_to_the_rows_of_a_page_is_one_query_and_nothing_is_none(
    watched: Watched, operator: User, django_assert_num_queries: object
) -> None:
    add(watched, "waiting", 3)
    operation = begin(watched, operator, Kind.PAUSE)
    keys = list(Instance.objects.values_list("pk", flat=True))
    rows = list_rows(keys)

    with django_assert_num_queries(1):  # type: ignore[operator]
        found = Item.objects.open_on(rows)

    assert {pk: item.operation for pk, item in found.items()} == {row.pk: operation for row in rows}
    work(watched, operation)
    rows = list_rows(keys)
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert Item.objects.open_on(rows) == {}
