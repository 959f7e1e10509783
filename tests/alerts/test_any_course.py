"""Whatever happens in whatever order: no event is delivered twice, and no incident is forgotten."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from dashboard import alerts
from dashboard.alerts.channels import Fate, Outcome
from dashboard.alerts.delivering import CUT_OFF_AFTER, MOST_ATTEMPTS
from dashboard.alerts.message import Message
from dashboard.models import AlertChannel, AlertEvent, AlertIncident, Delivery, Silence
from tests.alerts.rows import Scene, ada, channel, rule


class Killed(BaseException):
    """The process ended: before the message left it, or after."""


STEPS = st.one_of(
    st.tuples(st.just("tick"), st.sampled_from([1, 4, 11, 16]), st.sampled_from([0, 6, 60, 900])),
    st.tuples(st.just("deliver"), st.sampled_from(list(Fate)), st.just(None)),
    st.tuples(st.just("killed"), st.booleans(), st.just(None)),
    st.tuples(st.just("silence"), st.sampled_from([5, 30]), st.just(None)),
    st.tuples(st.just("acknowledge"), st.just(None), st.just(None)),
)


class AnyCourse(TestCase):
    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    @given(st.lists(STEPS, max_size=25))
    def test_nothing_is_delivered_twice_and_nothing_is_forgotten(
        self, steps: list[tuple[str, object, object]]
    ) -> None:
        scene = Scene(rule("sync-stale", channel(), channel(name="b"), terms={"window": 5}))
        taken: Counter[str] = Counter()
        for what, one, other in steps:
            self.do(scene, taken, what, one, other)
        self.calm_down(scene, taken)

        assert max(taken.values(), default=0) <= 1, taken
        for incident in AlertIncident.objects.all():
            kinds = list(incident.events.values_list("kind", flat=True))
            assert kinds.count(AlertEvent.Kind.OPENED) == 1
            assert kinds.count(AlertEvent.Kind.RESOLVED) == (0 if incident.is_open else 1)
            if incident.is_open:
                assert incident.told_at
            if incident.told_at:
                ends = [AlertEvent.Kind.OPENED] + [AlertEvent.Kind.RESOLVED] * (
                    not incident.is_open
                )
                for kind in ends:
                    event = incident.events.get(kind=kind)
                    assert event.deliveries.count() == AlertChannel.objects.count()
        assert not Delivery.objects.filter(state__in=["pending", "sending"]).exists()
        self.assert_what_is_said_is_true(taken)

    def do(self, scene: Scene, taken: Counter[str], what: str, one: object, other: object) -> None:
        def send(_: AlertChannel, message: Message) -> Outcome:
            """What the other side does; and whether this process lives to hear of it."""
            if what == "killed":
                taken[message.id] += bool(one)
                raise Killed
            assert isinstance(one, Fate)
            taken[message.id] += one is Fate.ACCEPTED
            return Outcome(one, one.value)

        if what == "tick":
            scene.tick(float(str(one)), age=float(str(other)))
        elif what in {"deliver", "killed"}:
            with suppress(Killed):
                scene.deliver(send)
        elif what == "silence":
            ends_at = scene.now + timedelta(minutes=int(str(one)))
            times = {"starts_at": scene.now, "ends_at": ends_at, "made_at": scene.now}
            Silence.objects.create(made_by=ada(), reason="x", **times)
        else:
            for incident in AlertIncident.objects.unresolved():
                alerts.acknowledge(incident.pk, ada(), "", now=scene.now)

    def calm_down(self, scene: Scene, taken: Counter[str]) -> None:
        """Silences end, and the other side takes all that it is still sent."""
        scene.now += timedelta(hours=1) + CUT_OFF_AFTER
        scene.tick()
        for _ in range(MOST_ATTEMPTS):
            if not Delivery.objects.filter(state__in=["pending", "sending"]).exists():
                return
            self.do(scene, taken, "deliver", Fate.ACCEPTED, None)
            scene.now += timedelta(hours=1)

    def assert_what_is_said_is_true(self, taken: Counter[str]) -> None:
        for delivery in Delivery.objects.all():
            was_taken = taken[f"workflows-dashboard-delivery-{delivery.pk}"] > 0
            assert delivery.state == "unknown" or was_taken == (delivery.state == "sent"), delivery


pytestmark = pytest.mark.django_db
