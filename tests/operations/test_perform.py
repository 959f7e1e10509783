"""An action is sent once, and called done only when Cloudflare was seen to have done it."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from dashboard import operations
from dashboard.cloudflare import Client, Credentials
from dashboard.cloudflare.types import Action, NewInstance
from dashboard.models import Instance, Item, Operation, User
from dashboard.models.operation import Kind, State
from dashboard.operations import Wanted
from tests.fixtures import Watched

pytestmark = pytest.mark.usefixtures("unsealed")


def wanted(kind: Kind, user: User, **more: Any) -> Wanted:
    return Wanted(kind=kind, user=user, key=uuid.uuid4(), reason="paged at 03:00", **more)


def ask(watched: Watched, instance_id: str, want: Wanted) -> Item:
    watched.sync()
    operation = operations.perform(
        watched.client, watched.workflow(), instance_id, want, clock=watched.clock
    )
    return operation.items.get()


@pytest.mark.parametrize(
    ("kind", "state", "ends"),
    [
        (Kind.PAUSE, "waiting", {"paused"}),
        (Kind.RESUME, "paused", {"running", "waiting", "queued"}),
        (Kind.TERMINATE, "running", {"terminated"}),
        (Kind.RESTART, "errored", {"queued", "running", "waiting"}),
        (Kind.RESTART, "running", {"queued", "running", "waiting"}),
    ],
)
def test_what_was_asked_is_done_once_it_was_seen(
    watched: Watched, operator: User, kind: Kind, state: str, ends: set[str]
) -> None:
    instance_id = watched.add(state)
    watched.advance(10)

    item = ask(watched, instance_id, wanted(kind, operator))
    watched.advance(2)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert (item.state, len(watched.sent())) == (State.DONE, 1), item.note
    assert watched.listed()[instance_id] in ends
    assert watched.row(instance_id).status in ends
    assert item.answer is not None
    assert item.settled_at is not None


def test_a_pause_is_not_done_while_a_step_is_in_flight(watched: Watched, operator: User) -> None:
    instance_id = watched.add("running")

    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    assert (item.state, watched.listed()[instance_id]) == (State.ACCEPTED, "waitingForPause")
    watched.advance(7 * 3600)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert (item.state, watched.listed()[instance_id]) == (State.DONE, "paused")


def test_the_same_form_sent_twice_is_one_operation(watched: Watched, operator: User) -> None:
    instance_id = watched.add("errored")
    want = wanted(Kind.RESTART, operator)

    first = ask(watched, instance_id, want)
    second = ask(watched, instance_id, want)

    assert first.pk == second.pk
    assert len(watched.sent()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_double_click_at_the_same_moment_sends_once(watched: Watched, operator: User) -> None:
    instance_id = watched.add("waiting")
    watched.sync()
    want = wanted(Kind.TERMINATE, operator)
    workflow = watched.workflow()

    def click() -> None:
        operations.perform(watched.client, workflow, instance_id, want, clock=watched.clock)
        database.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()

    assert len(watched.sent()) == 1
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "state", "says"),
    [
        (Kind.PAUSE, "complete", "Only a running or waiting instance can be paused"),
        (Kind.RESUME, "running", "Only a paused instance can be resumed"),
        (Kind.TERMINATE, "errored", "It has ended"),
        (Kind.SEND_EVENT, "terminated", "It has ended"),
    ],
)
def test_what_the_state_does_not_allow_is_not_sent(
    watched: Watched, operator: User, kind: Kind, state: str, says: str
) -> None:
    instance_id = watched.add(state)

    item = ask(watched, instance_id, wanted(kind, operator, arguments={"event_type": "x"}))

    assert item.state == State.SKIPPED
    assert says in item.note
    assert watched.sent() == watched.sent("POST") == []


def test_the_state_is_read_again_before_anything_is_sent(watched: Watched, operator: User) -> None:
    instance_id = watched.add("running")
    watched.sync()
    watched.client.change_instance_status("orders", instance_id, Action.TERMINATE)

    operation = operations.perform(
        watched.client,
        watched.workflow(),
        instance_id,
        wanted(Kind.TERMINATE, operator),
        clock=watched.clock,
    )

    assert operation.items.get().state == State.SKIPPED
    assert len(watched.sent()) == 1  # only the other person's


def test_a_page_from_before_a_restart_cannot_restart_again(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("errored")
    ask(watched, instance_id, wanted(Kind.RESTART, operator, seen_generation=1))
    watched.advance(1)

    item = ask(watched, instance_id, wanted(Kind.RESTART, operator, seen_generation=1))

    assert item.state == State.SKIPPED
    assert "restarted after the page" in item.note
    assert len(watched.sent()) == 1


def test_an_answer_that_was_lost_is_cleared_up_by_looking_not_by_sending(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")
    watched.server.faults.add("reset", method="PATCH", executes=True, times=1)

    item = ask(watched, instance_id, wanted(Kind.TERMINATE, operator))

    assert (item.state, len(watched.sent())) == (State.DONE, 1), item.note
    assert "may be somebody else's doing" in item.note
    assert watched.listed()[instance_id] == "terminated"


def test_an_answer_that_was_lost_and_had_no_effect_ends_as_failed(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")
    watched.server.faults.add("html", method="PATCH", times=1)

    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    assert item.state == State.LOST
    assert "not sent again" in item.note
    watched.advance(180)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert (item.state, len(watched.sent())) == (State.FAILED, 1)
    assert "not seen to happen" in item.note


def test_a_missing_permission_is_said_and_settles_the_item(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("running")
    watched.sync()
    credentials = Credentials(token=watched.server.read_only_token)
    with Client(watched.account.account_id, credentials, base_url=watched.server.url) as reader:
        operation = operations.perform(
            reader,
            watched.workflow(),
            instance_id,
            wanted(Kind.PAUSE, operator),
            clock=watched.clock,
        )

    item = operation.items.get()
    assert item.state == State.FAILED
    assert "Workers Scripts" in item.note
    assert watched.server.read_only_token not in item.note


def test_cloudflare_away_means_that_nothing_was_sent(watched: Watched, operator: User) -> None:
    instance_id = watched.add("running")
    watched.sync()
    watched.server.stop()

    operation = operations.perform(
        watched.client,
        watched.workflow(),
        instance_id,
        wanted(Kind.PAUSE, operator),
        clock=watched.clock,
    )

    item = operation.items.get()
    assert item.state == State.FAILED
    assert item.note.startswith("Nothing was sent.")


def test_a_crash_between_sending_and_the_answer_is_never_sent_again(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")
    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    Item.objects.filter(pk=item.pk).update(
        state=State.SENDING, answered_at=None, answer=None, settled_at=None
    )
    watched.advance(120)

    operations.follow_due(lambda _: watched.client, clock=watched.clock)
    watched.advance(120)
    operations.follow_due(lambda _: watched.client, clock=watched.clock)

    item.refresh_from_db()
    assert (item.state, len(watched.sent())) == (State.DONE, 1), item.note


def test_a_crash_before_sending_is_told_as_not_sent(watched: Watched, operator: User) -> None:
    instance_id = watched.add("waiting")
    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    Item.objects.filter(pk=item.pk).update(state=State.SENDING, sent_at=None, settled_at=None)
    watched.advance(120)

    operations.follow_due(lambda _: watched.client, clock=watched.clock)

    item.refresh_from_db()
    assert item.state == State.FAILED
    assert "Nothing was sent" in item.note


def test_an_event_is_done_when_the_step_no_longer_waits(watched: Watched, operator: User) -> None:
    instance_id = watched.add("waiting-for-event")
    arguments = {"event_type": "approval", "payload": {"approved": True}}

    item = ask(watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments=arguments))
    watched.advance(1)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert (item.state, watched.sent("POST")) == (State.DONE, [{"approved": True}]), item.note
    assert "no longer waits" in item.note


def test_an_event_that_nothing_waits_for_is_said_to_be_kept(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")

    item = ask(
        watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments={"event_type": "later"})
    )

    assert item.state == State.DONE
    assert "No step was waiting" in item.note


def test_an_event_of_the_wrong_type_is_not_done(watched: Watched, operator: User) -> None:
    instance_id = watched.add("waiting-for-event")

    item = ask(
        watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments={"event_type": "wrong"})
    )

    assert item.state == State.ACCEPTED
    assert "still waits" in item.note


def test_an_event_whose_answer_was_lost_is_not_said_to_be_taken(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")
    watched.server.faults.add("reset", method="POST", executes=False)

    item = ask(
        watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments={"event_type": "later"})
    )

    assert (item.state, len(watched.sent("POST"))) == (State.FAILED, 1)
    assert item.note.startswith("Cloudflare's answer was lost.")
    assert "Cloudflare took" not in item.note


def test_an_event_whose_wait_ran_out_is_not_said_to_be_delivered(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting-for-event", age=7 * 86400 - 3600)
    wrong = {"event_type": "wrong"}
    item = ask(watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments=wrong))

    watched.advance(2 * 3600)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert (item.state, watched.listed()[instance_id]) == (State.FAILED, "errored"), item.note
    assert item.note == "Cloudflare took the event, but “wait for approval-1” ended without one."


def test_an_event_for_an_instance_that_was_terminated_is_not_waited_for(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting-for-event")
    wrong = {"event_type": "wrong"}
    item = ask(watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments=wrong))

    watched.client.change_instance_status("orders", instance_id, Action.TERMINATE)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert item.state == State.SKIPPED
    assert item.note == "Cloudflare took the event, but it is terminated now."


@pytest.mark.parametrize("is_bulk", [False, True])
def test_what_nobody_could_look_at_is_not_said_to_have_failed(
    watched: Watched, operator: User, is_bulk: bool
) -> None:
    instance_id = watched.add("running")
    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    Operation.objects.update(is_bulk=is_bulk)
    item = Item.objects.get(pk=item.pk)
    watched.advance(25 * 3600)

    watched.server.faults.add("challenge", method="GET")
    operations.look(watched.client, item, now=watched.clock())
    assert item.state == State.ACCEPTED
    assert item.next_look_at is not None
    assert item.next_look_at >= watched.clock() + timedelta(seconds=30)
    watched.server.faults.clear()
    operations.look(watched.client, item, now=watched.clock())

    assert item.state == State.DONE


def test_what_cannot_be_looked_at_for_an_hour_ends_all_the_same(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("running")
    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))
    watched.advance(26 * 3600)

    watched.server.faults.add("challenge", method="GET")
    operations.look(watched.client, item, now=watched.clock())

    assert item.state == State.FAILED
    assert "It could not be looked at" in item.note


def test_a_restart_from_a_step_names_the_step_as_the_api_wants(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("errored")
    start = {"name": "charge card", "count": 1, "type": "do"}

    ask(watched, instance_id, wanted(Kind.RESTART, operator, arguments={"from": start}))

    assert watched.sent() == [{"status": "restart", "from": start}]


def test_terminating_with_rollback_is_done_when_the_rollback_has_ended(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting")

    item = ask(watched, instance_id, wanted(Kind.TERMINATE, operator, arguments={"rollback": True}))
    watched.advance(7200)
    operations.look(watched.client, item, now=watched.clock())

    item.refresh_from_db()
    assert item.state == State.DONE
    assert watched.sent() == [{"status": "terminate", "rollback": True}]


def test_one_instance_is_created_under_its_id_and_seen(watched: Watched, operator: User) -> None:
    watched.add("complete")
    watched.sync()

    operation = operations.create(
        watched.client,
        watched.workflow(),
        NewInstance(id="by-hand", params={"a": 1}),
        wanted(Kind.CREATE, operator),
        clock=watched.clock,
    )

    assert operation.items.get().state == State.DONE
    assert Instance.objects.filter(instance_id="by-hand").exists()


def test_an_id_that_exists_fails_with_cloudflares_words(watched: Watched, operator: User) -> None:
    taken = watched.add("complete", instance_id="taken")
    watched.sync()

    operation = operations.create(
        watched.client,
        watched.workflow(),
        NewInstance(id=taken),
        wanted(Kind.CREATE, operator),
        clock=watched.clock,
    )

    item = operation.items.get()
    assert (item.state, item.code) == (State.FAILED, 10405)


def test_a_created_instance_whose_answer_was_lost_is_found(
    watched: Watched, operator: User
) -> None:
    watched.add("complete")
    watched.sync()
    watched.server.faults.add("reset", method="POST", executes=True, times=1)

    operation = operations.create(
        watched.client,
        watched.workflow(),
        NewInstance(id="lost"),
        wanted(Kind.CREATE, operator),
        clock=watched.clock,
    )

    assert operation.items.get().state == State.DONE
    assert len(watched.sent("POST")) == 1


def test_what_cloudflare_answered_is_kept_word_for_word(watched: Watched, operator: User) -> None:
    instance_id = watched.add("waiting")

    item = ask(watched, instance_id, wanted(Kind.PAUSE, operator))

    assert item.answer == {"status": "paused", "timestamp": item.answer["timestamp"]}
    operation = item.operation
    assert (operation.requested_by, operation.reason) == (operator, "paged at 03:00")


def test_a_nul_character_in_a_payload_does_not_stop_the_operation(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("waiting-for-event")
    arguments = {"event_type": "approval", "payload": "a\x00b"}

    item = ask(watched, instance_id, wanted(Kind.SEND_EVENT, operator, arguments=arguments))

    assert item.state in {State.DONE, State.ACCEPTED}
    assert watched.sent("POST") == ["a\x00b"]
