from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from dashboard import alerts
from dashboard.alerts import course, judging, stored
from dashboard.alerts.channels import Fate, Outcome
from dashboard.models import AlertEvent, AlertIncident, AlertRule, Delivery, Silence, User, Workflow
from tests.alerts.rows import Scene, ada, channel, rule
from tests.rows import THEN, minutes, workflow

GONE = course.GONE_FOR / timedelta(minutes=1)
UPDATE = course.UPDATE_EVERY / timedelta(minutes=1)


@pytest.fixture
def scene(db: None) -> Scene:
    """A rule that looks at the age of a sync, and sends to one channel."""
    return Scene(rule("sync-stale", channel(), terms={"window": 5}))


def told() -> list[tuple[str, str]]:
    """The deliveries that were made: event and state."""
    rows = Delivery.objects.order_by("pk").values_list("event__kind", "state")
    return list(rows)


def silence(scene: Scene, *, until: float, **facts: object) -> Silence:
    given = {"starts_at": scene.now, "ends_at": scene.now + minutes(until), "reason": "deploy"}
    return Silence.objects.create(made_by=ada(), made_at=scene.now, **(given | facts))


class TestCourse:
    def test_it_opens_once_and_resolves_when_the_condition_is_gone_for_a_time(
        self, scene: Scene
    ) -> None:
        scene.tick(age=6)
        scene.tick(age=7)
        [incident] = scene.incidents()
        assert incident.sentence == "The sync of shop has not come through for 7 minutes."
        assert told() == [("opened", "pending")]

        scene.tick(age=0)
        scene.tick(GONE - 2)
        assert scene.incidents()[0].is_open
        scene.tick(1)

        [incident] = scene.incidents()
        assert incident.lasted == minutes(GONE + 1)
        assert told() == [("opened", "pending"), ("resolved", "pending")]

    def test_a_condition_that_flaps_is_one_incident(self, scene: Scene) -> None:
        for _ in range(8):
            scene.tick(2, age=6)
            scene.tick(2, age=0)

        assert len(scene.incidents()) == 1
        assert told() == [("opened", "pending")]

    def test_one_that_comes_back_after_it_resolved_is_another(self, scene: Scene) -> None:
        scene.tick(age=6)
        scene.tick(GONE, age=0)
        scene.tick(age=6)

        assert [one.is_open for one in scene.incidents()] == [False, True]

    def test_it_is_told_again_only_when_much_worse_and_not_often(self, scene: Scene) -> None:
        scene.tick(age=6)
        scene.tick(UPDATE - 1, age=60)
        scene.tick(0.5, age=11)
        assert len(told()) == 1

        scene.tick(1, age=12)
        scene.tick(1, age=900)

        assert [kind for kind, _ in told()] == ["opened", "updated"]

    def test_two_that_judge_at_once_open_one_incident(self, scene: Scene) -> None:
        scene.age = 9
        rule, history = scene.rule, scene.history()
        found = AlertRule.objects.get()
        judging.judge_rule(rule, history, scene.now)
        firing = alerts.kind_of(rule.kind, rule.terms).evaluate(history, scene.now)[0]
        judging._open(found, firing, [], scene.now)

        assert len(scene.incidents()) == 1
        assert AlertEvent.objects.count() == Delivery.objects.count() == 1

    def test_the_database_knows_of_one_open_incident_for_each_thing(self, scene: Scene) -> None:
        scene.tick(age=6)
        again = scene.incidents()[0]
        again.pk = None

        with pytest.raises(IntegrityError), transaction.atomic():
            again.save(force_insert=True)

    def test_a_rule_that_is_switched_off_or_removed_leaves_nothing_open(self, scene: Scene) -> None:
        scene.tick(age=6)
        AlertRule.objects.update(removed_at=scene.now)
        scene.tick(age=6)

        assert not scene.incidents()[0].is_open
        assert [kind for kind, _ in told()] == ["opened", "resolved"]

    def test_a_rule_that_somebody_judges_is_left_alone(self, scene: Scene) -> None:
        AlertRule.objects.update(leased_until=scene.now + timedelta(hours=1))
        scene.tick(age=6)

        assert scene.incidents() == []


class TestTelling:
    def test_an_incident_without_a_channel_is_told_once_there_is_one(self, scene: Scene) -> None:
        here = scene.rule.channels.get()
        scene.rule.channels.clear()
        scene.tick(age=6)
        assert told() == []

        scene.rule.channels.add(here)
        scene.tick()

        assert told() == [("opened", "pending")]

    def test_an_acknowledged_incident_is_told_of_only_when_it_resolves(
        self, scene: Scene, operator: User
    ) -> None:
        scene.tick(age=6)
        assert alerts.acknowledge(scene.incidents()[0].pk, operator, "I look", now=scene.now)
        scene.tick(UPDATE, age=900)
        assert len(told()) == 1

        scene.tick(1, age=0)
        scene.tick(GONE)

        assert [kind for kind, _ in told()] == ["opened", "resolved"]
        assert not alerts.acknowledge(scene.incidents()[0].pk, operator, "late", now=scene.now)

    def test_what_may_not_have_arrived_is_followed_by_an_update(self, scene: Scene) -> None:
        scene.tick(age=6)
        scene.deliver(lambda *_: Outcome(Fate.UNKNOWN, "No answer."))
        scene.tick(UPDATE, age=6)
        scene.deliver(lambda *_: Outcome(Fate.ACCEPTED, "Taken."))

        assert told() == [("opened", "unknown"), ("updated", "sent")]


class TestSilences:
    def test_what_is_silenced_is_found_and_kept_and_told_when_the_silence_ends(
        self, scene: Scene
    ) -> None:
        silence(scene, until=30)
        scene.tick(age=6)
        assert len(scene.incidents()) == 1
        assert told() == []

        scene.tick(28)
        assert told() == []
        scene.tick(1)

        assert told() == [("opened", "pending")]

    def test_what_resolves_in_a_silence_is_never_told(self, scene: Scene) -> None:
        silence(scene, until=60)
        scene.tick(age=6)
        scene.tick(GONE, age=0)
        scene.tick(60)

        assert not scene.incidents()[0].is_open
        assert told() == []

    def test_the_end_of_what_was_told_is_told_after_the_silence(self, scene: Scene) -> None:
        scene.tick(age=6)
        silence(scene, until=60)
        scene.tick(GONE, age=0)
        assert [kind for kind, _ in told()] == ["opened"]

        scene.tick(60)

        assert [kind for kind, _ in told()] == ["opened", "resolved"]

    def test_it_covers_only_its_rule_and_its_workflow(self, scene: Scene) -> None:
        orders, other = workflow("orders"), rule("stuck")
        of_orders = AlertIncident(rule=scene.rule, workflow=orders)
        of_account = AlertIncident(rule=scene.rule)

        everything = silence(scene, until=1)
        assert everything.covers(of_orders)
        assert everything.covers(of_account)
        assert silence(scene, until=1, rule=scene.rule, workflow=orders).covers(of_orders)
        assert not silence(scene, until=1, workflow=orders).covers(of_account)
        assert not silence(scene, until=1, rule=other, workflow=orders).covers(of_orders)

    def test_a_window_that_repeats_holds_each_week_and_only_then(self, scene: Scene) -> None:
        window = silence(
            scene, until=60, starts_at=THEN, ends_at=THEN + minutes(60), is_weekly=True
        )
        week = timedelta(days=7)

        for weeks in (0, 1, 30):
            assert window.until(THEN + weeks * week) == THEN + weeks * week + minutes(60)
            assert window.until(THEN + weeks * week + minutes(60)) is None
        assert window.until(THEN - minutes(1)) is None
        assert list(Silence.objects.begun(THEN + 30 * week)) == [window]

    def test_one_that_a_person_ended_holds_no_more(self, scene: Scene) -> None:
        held = silence(scene, until=60, ended_at=scene.now)

        assert held.until(scene.now) is None
        assert list(Silence.objects.begun(scene.now)) == []


def test_a_workflow_whose_account_is_not_synced_resolves_nothing(db: None) -> None:
    """What is not known is neither alerted of nor declared gone."""
    from dashboard.alerts.history import History, Period, Place, Reading, sync_of

    orders: Workflow = workflow()
    made = rule("failure-rate", workflow=orders, terms={"at_least": 1})
    places = {orders.pk: Place("orders", orders.account_id, THEN)}
    failed = {orders.pk: [Period(THEN - minutes(5), errored=3)]}
    judging.judge_rule(made, History(since=THEN, workflows=places, periods=failed), THEN)
    later = THEN + timedelta(hours=2)
    stale = {sync_of(orders.account_id): [Reading(later, 90)]}
    judging.judge_rule(made, History(since=THEN, workflows=places, readings=stale), later)
    assert AlertIncident.objects.get().is_open

    judging.judge_rule(made, History(since=THEN, workflows=places), later)
    assert not AlertIncident.objects.get().is_open


def test_of_very_many_at_once_the_worst_are_alerted_of_and_the_rest_together(db: None) -> None:
    from dashboard.alerts.history import History, Reading, budget_of

    made = rule("budget-low", terms={"left": 90})
    readings = {budget_of(f"b{number:02}"): [Reading(THEN, number)] for number in range(50)}
    for moment in (THEN, THEN + minutes(1)):
        judging.judge_rule(made, History(since=THEN, readings=readings), moment)

    found = AlertIncident.objects.order_by("pk").values_list("subject", flat=True)
    assert list(found) == [f"b{number:02}" for number in range(20)] + ["30 more"]


def test_a_workflow_that_was_made_again_is_watched_again(db: None) -> None:
    gone = workflow("orders", gone_at=THEN)
    again = Workflow.objects.create(
        account=gone.account, name="orders", cloudflare_id="new", first_seen_at=THEN
    )

    history = stored.recent(rule("failure-rate", workflow=gone), THEN)

    assert list(history.workflows) == [again.pk]
