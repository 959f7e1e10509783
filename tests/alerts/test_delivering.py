from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from dashboard import alerts
from dashboard.alerts import delivering
from dashboard.alerts.channels import Fate, Outcome
from dashboard.alerts.delivering import CUT_OFF_AFTER, MOST_ATTEMPTS
from dashboard.models import Delivery, DeliveryAttempt, DeliveryState
from tests.alerts.receiver import Receiver
from tests.alerts.rows import Scene, channel, rule

REFUSED = Outcome(Fate.REFUSED, "It answered 500.")
ACCEPTED = Outcome(Fate.ACCEPTED, "It took it.")


@pytest.fixture
def scene(db: None, hook: Receiver) -> Scene:
    """An incident that has just opened, and is to be sent to the receiver."""
    made = Scene(rule("sync-stale", channel(hook.address), terms={"window": 5}))
    made.tick(age=6)
    return made


def only() -> Delivery:
    return Delivery.objects.get()


def attempts() -> list[str]:
    return list(DeliveryAttempt.objects.order_by("pk").values_list("words", flat=True))


class TestTrying:
    def test_it_is_sent_once_with_all_that_a_receiver_needs(
        self, scene: Scene, hook: Receiver
    ) -> None:
        scene.deliver()
        scene.deliver()

        [body] = hook.taken
        assert body["title"] == "Opened: my sync-stale, shop"
        assert body["event"] == "opened"
        assert body["figures"] == {"minutes": 6}
        assert body["since_url"].endswith("/since/?at=2026-11-20T02%3A54%3A00%2B00%3A00")
        assert only().state == DeliveryState.SENT
        assert attempts() == ["JSON took it."]

    def test_what_was_refused_is_tried_again_later_and_later(
        self, scene: Scene, hook: Receiver
    ) -> None:
        hook.answers = [500, 503]
        waits = []
        for _ in range(3):
            scene.deliver()
            if only().state == DeliveryState.PENDING:
                waits.append(only().next_at - scene.now)
                scene.now = only().next_at - timedelta(milliseconds=1)
                scene.deliver()
                scene.now = only().next_at

        assert waits == [timedelta(seconds=10), timedelta(seconds=20)]
        assert only().state == DeliveryState.SENT
        assert len(hook.heard) == 3
        assert len(hook.taken) == 1
        assert len({one["id"] for one in hook.heard}) == 1
        assert [words[:17] for words in attempts()] == [
            "JSON answered 500", "JSON answered 503", "JSON took it.",
        ]  # fmt: skip

    def test_it_has_an_end(self, scene: Scene) -> None:
        for _ in range(MOST_ATTEMPTS + 3):
            scene.deliver(lambda *_: REFUSED)
            scene.now += timedelta(minutes=15)

        assert only().state == DeliveryState.FAILED
        assert only().note == f"Given up after {MOST_ATTEMPTS} attempts. It answered 500."
        assert len(attempts()) == MOST_ATTEMPTS

    @pytest.mark.parametrize("answer", ["reset", 502])
    def test_what_may_have_arrived_is_not_sent_again_and_says_so(
        self, scene: Scene, hook: Receiver, answer: str | int
    ) -> None:
        hook.answers = [answer]
        for _ in range(3):
            scene.deliver()
            scene.now += timedelta(hours=1)

        assert len(hook.heard) == 1
        assert only().state == DeliveryState.UNKNOWN
        assert only().note.endswith("It is not sent again.")

    def test_events_of_an_incident_come_in_their_order(self, scene: Scene, hook: Receiver) -> None:
        hook.answers = [500]
        scene.deliver()
        scene.tick(11, age=0)
        scene.now += timedelta(seconds=1)
        scene.deliver()
        scene.deliver()

        assert [one["event"] for one in hook.taken] == ["opened", "resolved"]

    def test_a_channel_that_was_removed_gets_nothing(self, scene: Scene, hook: Receiver) -> None:
        scene.rule.channels.update(removed_at=scene.now)
        scene.deliver()

        assert hook.heard == []
        assert only().state == DeliveryState.FAILED

    def test_another_secret_key_says_that_the_address_is_to_be_written_again(
        self, scene: Scene, hook: Receiver, settings: object
    ) -> None:
        settings.SECRET_KEY = "another"  # type: ignore[attr-defined]
        scene.deliver()

        assert hook.heard == []
        assert "write it again" in only().note


class TestClaims:
    def test_of_two_that_want_to_send_one_does(self, scene: Scene) -> None:
        sent: list[str] = []

        def send(*_: object) -> Outcome:
            sent.append("once")
            if len(sent) == 1:
                alerts.deliver(only().pk, clock=lambda: scene.now, send=send)
            return ACCEPTED

        scene.deliver(send)

        assert sent == ["once"]
        assert only().state == DeliveryState.SENT

    def test_one_that_was_claimed_between_looking_and_claiming_is_left_alone(
        self, scene: Scene
    ) -> None:
        mine, other = only(), only()
        assert delivering._claim(other, scene.now)
        assert delivering._claim(mine, scene.now) is None

    def test_of_two_that_both_saw_it_due_one_claims_it(self, scene: Scene) -> None:
        """The other one claims it just before the statement with which the first does."""
        mine, other = only(), only()
        won: list[DeliveryAttempt | None] = []

        def interpose(execute: Callable[..., object], sql: str, *rest: object) -> object:
            if sql.startswith("UPDATE") and not won:
                won.append(None)
                won[0] = delivering._claim(other, scene.now)
            return execute(sql, *rest)

        with connection.execute_wrapper(interpose):
            assert delivering._claim(mine, scene.now) is None
        assert won[0] is not None

    def test_a_sender_that_was_only_slow_tells_the_truth_in_the_end(self, scene: Scene) -> None:
        def slow(*_: object) -> Outcome:
            alerts.due(scene.now + CUT_OFF_AFTER + timedelta(seconds=1))
            assert only().state == DeliveryState.UNKNOWN
            return ACCEPTED

        scene.deliver(slow)

        assert only().state == DeliveryState.SENT

    def test_one_that_was_slow_and_refused_is_not_sent_again(self, scene: Scene) -> None:
        def slow(*_: object) -> Outcome:
            alerts.due(scene.now + CUT_OFF_AFTER + timedelta(seconds=1))
            return REFUSED

        scene.deliver(slow)

        assert only().state == DeliveryState.UNKNOWN


@pytest.mark.django_db(transaction=True)
class TestKilled:
    @pytest.fixture
    def scene(self, transactional_db: None, hook: Receiver) -> Scene:
        made = Scene(rule("sync-stale", channel(hook.address), terms={"window": 5}))
        made.tick(age=6)
        return made

    def worker(self, scene: Scene) -> subprocess.Popen[bytes]:
        """A process of its own that sends the delivery."""
        told = {key: str(value) for key, value in connection.settings_dict.items() if value}
        name = connection.settings_dict["NAME"]
        where = [name, told.get("HOST", ""), told.get("PORT", ""), told.get("USER", "")]
        command = [sys.executable, "-m", "tests.alerts.sender", *where, str(only().pk)]
        return subprocess.Popen([*command, scene.now.isoformat()], env={**os.environ})

    def test_a_process_that_is_killed_amid_it_leaves_it_unknown_and_never_doubled(
        self, scene: Scene, hook: Receiver
    ) -> None:
        hook.answers = ["silence"]
        with self.worker(scene) as process:
            assert hook.is_asked.wait(60)
            process.send_signal(signal.SIGKILL)
        hook.may_answer.set()
        assert only().state == DeliveryState.SENDING

        scene.deliver()
        scene.now += CUT_OFF_AFTER + timedelta(seconds=1)
        scene.deliver()
        scene.now += timedelta(days=1)
        scene.deliver()

        assert len(hook.heard) == 1
        assert only().state == DeliveryState.UNKNOWN
        assert "stopped amid it" in only().note
        assert DeliveryAttempt.objects.get().ended_at is None

    def test_a_process_of_its_own_delivers_it(self, scene: Scene, hook: Receiver) -> None:
        with self.worker(scene) as process:
            assert process.wait(60) == 0

        assert len(hook.taken) == 1
        assert only().state == DeliveryState.SENT
