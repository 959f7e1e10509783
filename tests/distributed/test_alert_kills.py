"""Workers killed while they judge or deliver: no alert comes twice, none is lost unsaid."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.alerts.delivering import CUT_OFF_AFTER
from dashboard.alerts.history import budget_of
from dashboard.models import AlertIncident, AlertReading, AlertRule, Delivery, DeliveryState
from tests.alerts.receiver import Receiver, receiver
from tests.distributed.house import COPY, House

pytestmark = pytest.mark.start

NUMBER = 8
#: Made by a process of theirs, for the address is sealed with their key.
MAKE = """
from datetime import datetime, UTC
from dashboard.models import AlertChannel, AlertRule, User
facts = {{"changed_by": User.objects.create(username="ada"), "changed_at": datetime.now(UTC)}}
channel = AlertChannel(name="on call", service="JSON", **facts)
channel.address = {address!r}
channel.save()
AlertRule.objects.create(name="low", kind="budget-low", **facts).channels.set([channel])
"""


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as told:
        yield told


def deliveries() -> Counter[str]:
    return Counter(Delivery.objects.using(COPY).values_list("state", flat=True))


def let_time_pass() -> None:
    """What minutes of waiting do: leases end, and who sends no more is taken for dead."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    AlertRule.objects.using(COPY).update(leased_until=past)
    sending = Delivery.objects.using(COPY).filter(state=DeliveryState.SENDING)
    sending.update(claimed_at=past - CUT_OFF_AFTER)
    let_retries_come()


def let_retries_come() -> None:
    """Without ageing what a living worker sends at this moment."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Delivery.objects.using(COPY).filter(state=DeliveryState.PENDING).update(next_at=past)


def test_workers_killed_while_they_judge_and_while_they_deliver_double_and_lose_nothing(
    build: Callable[..., House], hook: Receiver
) -> None:
    house = build("empty", now=datetime.now(UTC), rate_limit=0)
    house.settings["ALERTS_ALLOW_PRIVATE"] = "true"
    house.shell(MAKE.format(address=hook.address))
    now = datetime.now(UTC)
    low = [AlertReading(subject=budget_of(f"a{n}"), at=now, value=1.0) for n in range(NUMBER)]
    AlertReading.objects.using(COPY).bulk_create(low)
    house.start_beat()

    # Amid judging: the lease is taken, and nobody can write the incidents.
    house.start_workers()
    rules = AlertRule.objects.using(COPY).filter(leased_until__isnull=False)
    house.wait_for("judging", rules.exists, every=0.005)
    with house.nobody_writes():
        time.sleep(0.1)
        house.kill_workers()
    let_time_pass()

    # Amid delivering: the receiver has the message, and does not answer.
    hook.answers = [200, "silence", 503]
    house.start_workers()
    house.wait_for("a message without an answer", lambda: len(hook.heard) >= 2)
    house.wait_for("sending", lambda: deliveries()[DeliveryState.SENDING] > 0)
    house.kill_workers()
    hook.may_answer.set()
    cut_off = deliveries()[DeliveryState.SENDING]
    let_time_pass()

    house.start_workers()

    def are_settled() -> bool:
        let_retries_come()
        found = deliveries()
        open_ = found[DeliveryState.PENDING] + found[DeliveryState.SENDING]
        return found.total() == NUMBER and not open_

    house.wait_for("all is settled", are_settled, every=1.0)
    assert AlertIncident.objects.using(COPY).count() == NUMBER
    assert max(Counter(hook.ids()).values()) == 1
    assert deliveries()[DeliveryState.SENT] + deliveries()[DeliveryState.UNKNOWN] == NUMBER
    assert 1 <= deliveries()[DeliveryState.UNKNOWN] <= cut_off
    sent = Delivery.objects.using(COPY).filter(state=DeliveryState.SENT)
    ids = {f"workflows-dashboard-delivery-{pk}" for pk in sent.values_list("pk", flat=True)}
    assert ids <= {*hook.ids()}
