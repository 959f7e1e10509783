from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dashboard.alerts.backtest import MOST_LOOKS, backtest, span
from dashboard.alerts.history import (
    Counts,
    Group,
    History,
    Period,
    Reading,
    budget_of,
    stuck_of,
    sync_of,
    version_of,
)
from dashboard.alerts.kinds import KINDS, Firing, Kind, kind_of
from tests.alerts.rows import place
from tests.rows import THEN, minutes

LONG_AGO = THEN - timedelta(days=10)
ORDERS, MAILS = 1, 2
PLACES = {ORDERS: place("orders"), MAILS: place("mails")}


def known(**facts: object) -> History:
    given = {"since": LONG_AGO, "workflows": PLACES, "accounts": {1: "shop"}}
    return History(**{**given, **facts})  # type: ignore[arg-type]


def keys(kind: Kind, history: History, at: datetime = THEN) -> list[str]:
    return [firing.key for firing in kind.evaluate(history, at)]


def only(kind: Kind, history: History, at: datetime = THEN) -> Firing:
    [found] = kind.evaluate(history, at)
    return found


class TestFailureRate:
    rate = kind_of("failure-rate", {"share": 20, "at_least": 5, "window": 15})

    def ended(self, errored: int, completed: int, ago: float = 5) -> History:
        period = Period(THEN - minutes(ago), errored=errored, completed=completed)
        return known(periods={ORDERS: [period]})

    def test_it_says_how_many_of_how_many_failed(self) -> None:
        found = only(self.rate, self.ended(6, 24))

        assert (found.key, found.subject, found.workflow) == ("workflow:1", "orders", ORDERS)
        assert found.sentence == (
            "6 instances of 30 that ended within 15 minutes have failed: 20 %."
        )

    def test_a_smaller_share_or_number_is_no_alarm(self) -> None:
        assert not keys(self.rate, self.ended(6, 25))
        assert not keys(self.rate, self.ended(4, 0))

    def test_what_failed_before_the_window_counts_no_more(self) -> None:
        assert keys(self.rate, self.ended(9, 0, ago=19.9))
        assert not keys(self.rate, self.ended(9, 0, ago=20))

    def test_of_a_period_that_is_longer_than_the_window_a_part_counts(self) -> None:
        hour = Period(THEN - minutes(60), errored=23, completed=1, length=minutes(60))

        assert only(self.rate, known(periods={ORDERS: [hour]})).figures["errored"] == 6
        assert not keys(kind_of("failure-rate", {"at_least": 7}), known(periods={ORDERS: [hour]}))

    def usually(self, errored: int, completed: int) -> History:
        """The same 15 of 50, after a week in which so many ended."""
        week = [
            Period(THEN - timedelta(days=day), errored=errored // 5, completed=completed // 5)
            for day in range(6, 1, -1)
        ]
        last = Period(THEN - minutes(5), errored=15, completed=35)
        return known(periods={ORDERS: [*week, last]})

    def test_a_share_that_is_usual_or_chance_is_no_alarm(self) -> None:
        assert not keys(self.rate, self.usually(300, 700))
        assert not keys(self.rate, self.usually(200, 800))  # 30 % of 50 where 20 % are usual.

    def test_a_share_that_no_chance_explains_is_told_with_the_usual_one(self) -> None:
        assert only(self.rate, self.usually(20, 980)).sentence == (
            "15 instances of 50 that ended within 15 minutes have failed: 30 %, usually 2.0 %."
        )

    def test_where_few_ended_before_nobody_knows_what_is_usual(self) -> None:
        assert keys(self.rate, self.usually(20, 5))

    def test_what_fails_later_is_not_known_yet(self) -> None:
        assert not keys(self.rate, self.ended(9, 0, ago=-1))

    def test_while_the_account_is_not_synced_nothing_is_said_of_it(self) -> None:
        history = self.ended(9, 0)
        stale = {sync_of(1): [Reading(THEN - minutes(1), 6)]}

        assert not keys(self.rate, known(periods=history.periods, readings=stale))


class TestNewGroup:
    new = kind_of("new-group", {"at_least": 2, "window": 60})

    def group(self, ago: float, count: int = 2) -> History:
        first_seen_on = THEN - minutes(ago)
        hours = [(first_seen_on, count)]
        return known(groups=[Group(7, ORDERS, "TypeError: <x>", first_seen_on, hours)])

    def test_it_names_the_error_and_its_workflow(self) -> None:
        found = only(self.new, self.group(5))

        assert found.key == "group:7"
        assert found.sentence == "New error in orders, 2 instances so far: TypeError: <x>"

    def test_one_that_is_old_or_rare_is_no_news(self) -> None:
        assert not keys(self.new, self.group(60))
        assert not keys(self.new, self.group(5, count=1))

    def test_one_of_a_workflow_that_is_not_watched_is_left_out(self) -> None:
        assert not keys(self.new, known(groups=self.group(5).groups, workflows={}))


class TestStuck:
    readings = {
        stuck_of(ORDERS, "charge"): [Reading(THEN - minutes(2), 4)],
        stuck_of(ORDERS, "ship"): [Reading(THEN - minutes(2), 1)],
        stuck_of(MAILS, "send"): [Reading(THEN - minutes(2), 2)],
    }

    def test_it_names_the_step_where_most_are_stuck(self) -> None:
        found = only(kind_of("stuck", {"at_least": 5}), known(readings=self.readings))

        assert found.key == "workflow:1"
        assert found.sentence == "5 instances later than normal, 4 of them in “charge”."

    def test_only_the_step_that_was_named_counts(self) -> None:
        history = known(readings=self.readings)

        assert not keys(kind_of("stuck", {"at_least": 2, "step": "ship"}), history)
        assert keys(kind_of("stuck", {"at_least": 2, "step": "send"}), history) == ["workflow:2"]


class TestBadVersion:
    bad = kind_of("bad-version", {})
    subject = version_of(ORDERS, "8d2f06aa-1")

    def test_it_says_in_what_the_version_is_worse(self) -> None:
        readings = {self.subject: [Reading(THEN, 2)]}

        found = only(self.bad, known(readings=readings, words={self.subject: "p95 41 s"}))

        assert (found.key, found.workflow) == (f"version:{ORDERS}:8d2f06aa-1", ORDERS)
        assert found.sentence == "Version 8d2f06aa does worse than the one before it: p95 41 s."
        assert only(self.bad, known(readings=readings)).sentence == (
            "Version 8d2f06aa does worse than the one before it in 2 figures."
        )

    def test_one_that_is_as_good_again_is_no_alarm(self) -> None:
        readings = {self.subject: [Reading(THEN - minutes(9), 2), Reading(THEN, 0)]}

        assert not keys(self.bad, known(readings=readings))


class TestNotTriggered:
    silent = kind_of("not-triggered", {"window": 60})

    def created(self, ago: float) -> History:
        periods = {ORDERS: [Period(THEN - minutes(ago), created=1)]}
        return known(periods=periods, workflows={ORDERS: PLACES[ORDERS]})

    def test_a_workflow_that_does_not_run_is_told(self) -> None:
        assert only(self.silent, self.created(66)).sentence == (
            "Nothing was triggered for 60 minutes."
        )

    def test_one_that_may_have_run_within_the_time_is_not(self) -> None:
        assert not keys(self.silent, self.created(64))

    def test_without_history_for_so_long_nothing_is_said(self) -> None:
        young = known(since=THEN - minutes(59))

        assert not keys(self.silent, young)
        assert len(keys(self.silent, known())) == 2


class TestQueueGrowing:
    growing = kind_of("queue-growing", {"by": 100, "window": 30})

    def queued(self, *numbers: tuple[float, int]) -> History:
        found = [Counts(THEN - minutes(ago), {"queued": number}) for ago, number in numbers]
        return known(counts={ORDERS: found})

    def test_it_says_how_many_more_there_are(self) -> None:
        found = only(self.growing, self.queued((40, 10), (20, 60), (5, 1_110)))

        assert found.sentence == "1,110 instances queued, 1,100 more than 30 minutes before."

    @pytest.mark.parametrize(
        "numbers",
        [((40, 10), (5, 109)), ((40, 10), (20, 900), (5, 800)), ((20, 10), (5, 800))],
        ids=["too little", "becoming fewer", "unknown before"],
    )
    def test_otherwise_it_is_no_alarm(self, numbers: tuple[tuple[float, int], ...]) -> None:
        assert not keys(self.growing, self.queued(*numbers))


def test_a_stale_sync_and_a_low_budget_are_told_by_account() -> None:
    readings = {
        sync_of(1): [Reading(THEN - minutes(1), 7)],
        budget_of("shop, mail"): [Reading(THEN - minutes(1), 9.0)],
    }
    history = known(readings=readings)

    assert only(kind_of("sync-stale", {"window": 7}), history).sentence == (
        "The sync of shop has not come through for 7 minutes."
    )
    assert not keys(kind_of("sync-stale", {"window": 8}), history)
    assert only(kind_of("budget-low", {"left": 10}), history).sentence == (
        "9 % of the request budget of shop, mail are left."
    )
    assert not keys(kind_of("budget-low", {"left": 9}), history)


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_says_anything_of_nothing(name: str) -> None:
    assert not keys(kind_of(name, {}), History())


def test_terms_that_are_no_longer_known_of_are_left_out() -> None:
    assert kind_of("stuck", {"gone": 1, "at_least": 2}) == kind_of("stuck", {"at_least": 2})


class TestBacktest:
    stale = kind_of("sync-stale", {"window": 5})

    def test_it_finds_what_judging_would_have_found_and_when(self) -> None:
        day = THEN - timedelta(days=1)
        found = [
            Reading(day, 0),
            Reading(day + minutes(60), 6),
            Reading(day + minutes(70), 0),
            Reading(day + minutes(72), 8),
            Reading(day + minutes(90), 0),
            Reading(THEN - minutes(30), 5),
        ]
        tried = backtest(self.stale, known(readings={sync_of(1): found}, since=day), THEN)

        assert [(one.began_at, one.ended_at) for one in tried.episodes] == [
            (THEN - minutes(30), None),
            (day + minutes(60), day + minutes(85)),  # It was gone for 2 minutes only.
        ]
        assert (tried.since, tried.until) == (day, THEN)

    def test_without_history_it_says_so(self) -> None:
        assert backtest(self.stale, History(), THEN).since is None

    def test_its_work_is_bounded_however_many_workflows_there_are(self) -> None:
        assert span(1) == timedelta(days=30)
        assert span(1_000) == MOST_LOOKS // 1_000 * minutes(5)
