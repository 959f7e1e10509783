"""Deliveries, sent at most once each.

A delivery is claimed before it is sent. What a channel is known not to have taken is tried again,
at longer and longer intervals, until an end. Where nobody can say whether it was taken (this
process died amid it, or no answer came) the delivery is *unknown*: it says so, and is never sent
again by itself. A message that comes twice cannot be taken back; one that may be missing is
followed by an update while the incident goes on, which is another message.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from dashboard.alerts import channels, message
from dashboard.alerts.channels import Fate, Outcome
from dashboard.alerts.message import Message
from dashboard.models import AlertChannel, Delivery, DeliveryAttempt, DeliveryState
from dashboard.models.sealed_text import CannotOpen

#: Longer than any send can take.
CUT_OFF_AFTER = timedelta(minutes=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=15)
#: With these pauses the last try is about two hours after the first.
MOST_ATTEMPTS = 14
AT_ONCE = 20

State = DeliveryState
Send = Callable[[AlertChannel, Message], Outcome]


def due(now: datetime) -> list[int]:
    """The deliveries to be sent now. Those whose sender died are settled on the way."""
    for delivery in Delivery.objects.cut_off(now - CUT_OFF_AFTER):
        _settle(
            delivery,
            State.UNKNOWN,
            "This dashboard stopped amid it. Whether it arrived is unknown; it is not sent again.",
            now,
        )
    return list(Delivery.objects.due(now).values_list("pk", flat=True)[:AT_ONCE])


def deliver(pk: int, *, clock: Callable[[], datetime], send: Send | None = None) -> None:
    """Sends one delivery, unless somebody else has begun to, or it is not due. Never raises for
    what a channel does."""
    delivery = Delivery.objects.select_related(
        "channel", "event__incident__rule", "event__incident__workflow__account"
    ).get(pk=pk)
    attempt = _claim(delivery, clock())
    if attempt is None:
        return
    outcome = (send or _send)(delivery.channel, message.of_delivery(delivery))
    with transaction.atomic():
        now = clock()
        DeliveryAttempt.objects.filter(pk=attempt.pk).update(ended_at=now, words=outcome.words)
        _write(delivery, outcome, now)


def test(channel: AlertChannel, *, by: str, now: datetime) -> Outcome:
    """Sends a test message, waits for what becomes of it, and notes it at the channel."""
    outcome = _send(channel, message.of_test(channel.name, by, f"test-{channel.pk}-{now:%H%M%S%f}"))
    channel.tested_at, channel.test_words = now, outcome.words
    channel.is_test_good = outcome.fate is Fate.ACCEPTED
    channel.save(update_fields=["tested_at", "test_words", "is_test_good"])
    return outcome


def _claim(delivery: Delivery, now: datetime) -> DeliveryAttempt | None:
    """Makes the delivery this caller's own; None when it is another's, or not due."""
    number = delivery.attempts + 1
    claimed = {"state": State.SENDING, "claimed_at": now, "attempts": number}
    with transaction.atomic():
        # One statement: of two at once the database lets one change the row.
        is_mine = Delivery.objects.due(now).order_by().filter(pk=delivery.pk).update(**claimed)
        if not is_mine:
            return None
        delivery.state, delivery.attempts, delivery.claimed_at = State.SENDING, number, now
        return DeliveryAttempt.objects.create(delivery=delivery, number=number, began_at=now)


def _send(channel: AlertChannel, text: Message) -> Outcome:
    if channel.removed_at is not None:
        return Outcome(Fate.REJECTED, "Nothing was sent: the channel was removed.")
    try:
        address = channel.address
    except CannotOpen as error:
        return Outcome(Fate.REJECTED, str(error))
    return channels.send(address, text, allow_private=settings.ALERTS_ALLOW_PRIVATE)


def _write(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """What the outcome of an attempt makes of its delivery."""
    fate, words = outcome.fate, outcome.words
    if fate is Fate.ACCEPTED:
        _settle(delivery, State.SENT, words, now)
    elif fate is Fate.UNKNOWN:
        _settle(delivery, State.UNKNOWN, f"{words} It is not sent again.", now)
    elif fate is Fate.REJECTED:
        _settle(delivery, State.FAILED, words, now)
    elif delivery.attempts >= MOST_ATTEMPTS:
        _settle(delivery, State.FAILED, f"Given up after {MOST_ATTEMPTS} attempts. {words}", now)
    else:
        pause = min(FIRST_PAUSE * 2 ** (delivery.attempts - 1), LONGEST_PAUSE)
        delivery.move(State.SENDING, state=State.PENDING, next_at=now + pause, note=words)


def _settle(delivery: Delivery, state: State, note: str, now: datetime) -> None:
    """The end of a delivery. One that was taken for cut off, and was not, tells its true end."""
    before = (State.SENDING,) if state is State.UNKNOWN else (State.SENDING, State.UNKNOWN)
    delivery.move(*before, state=state, note=note, settled_at=now)
