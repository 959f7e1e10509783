"""What rules look at, out of the tables that the sync keeps: each kind fires on real rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard import alerts
from dashboard.alerts import stored
from dashboard.alerts.kinds import kind_of
from dashboard.insight.version_watch import Comparison, Kind, Measure
from dashboard.models import (
    CountsThen,
    ErrorGroup,
    ErrorGroupHour,
    Gap,
    Instance,
    UngroupedPast,
    Workflow,
    WorkflowPeriod,
)
from tests.alerts.rows import rule
from tests.rows import THEN, instance, minutes, version, workflow

pytestmark = pytest.mark.django_db


def fires(
    kind: str, now: datetime = THEN, *, of: Workflow | None = None, **terms: Any
) -> list[str]:
    """What a rule with these terms finds, as it is judged."""
    made = kind_of(kind, terms)
    history = stored.read(made, of, now - made.reach, now)
    return [firing.sentence for firing in made.evaluate(history, now)]


def period(ago: float, **counts: int) -> WorkflowPeriod:
    return WorkflowPeriod.objects.create(
        workflow=workflow(), begins_on=THEN - minutes(ago), **{"version_id": "v1", **counts}
    )


class TestPeriods:
    def test_failures_of_all_versions_count_together(self) -> None:
        period(10, errored=3, completed=1)
        period(10, errored=2, version_id="v2")

        assert fires("failure-rate", at_least=5) == [
            "5 instances of 6 that ended within 15 minutes have failed: 83 %."
        ]

    def test_what_is_kept_by_the_hour_is_taken_in_part(self) -> None:
        period(60, errored=40)
        at = THEN + timedelta(days=10)
        begins_on = at.replace(minute=0) - timedelta(days=5)
        WorkflowPeriod.objects.update(begins_on=begins_on)

        kind = kind_of("failure-rate", {"at_least": 10})
        tried = alerts.backtest(kind, stored.long(kind, None, at), at)

        assert [one.firing.figures["errored"] for one in tried.episodes] == [10]
        assert tried.since == begins_on

    def test_a_workflow_that_does_not_run_is_found(self) -> None:
        orders = workflow("orders", first_seen_at=THEN - timedelta(days=9))
        period(80, created=1)

        assert fires("not-triggered", of=orders, window=60) == [
            "Nothing was triggered for 60 minutes."
        ]
        period(30, created=1)
        assert fires("not-triggered", of=orders, window=60) == []


def test_a_queue_grows_by_what_cloudflare_counted() -> None:
    for ago, number in ((300, 10), (20, 90), (1, 500)):
        at = THEN - minutes(ago)
        CountsThen.objects.create(
            workflow=workflow(), begins_at=at, counted_at=at, counts={"queued": number}
        )

    assert fires("queue-growing") == ["500 instances queued, 490 more than 30 minutes before."]


def group(first_seen_on: datetime, *counts: int) -> None:
    """One that failed so often in its first hour, and in each that followed."""
    made = ErrorGroup.objects.create(
        workflow=workflow(), fingerprint="f", error_name="TypeError", message="no <x>",
        first_seen_on=first_seen_on, last_seen_on=THEN, count=sum(counts),
    )  # fmt: skip
    for number, count in enumerate(counts):
        begins_on = first_seen_on.replace(minute=0) + timedelta(hours=number)
        facts = {"begins_on": begins_on, "count": count, "last_seen_on": begins_on}
        ErrorGroupHour.objects.create(group=made, version_id="v1", **facts)


def test_a_new_group_is_found_until_it_is_old() -> None:
    group(THEN - minutes(5), 4)

    assert fires("new-group") == ["New error in orders, 4 instances so far: TypeError: no <x>"]
    assert fires("new-group", THEN + minutes(56)) == []


def test_a_new_group_of_the_past_counts_what_had_failed_by_then() -> None:
    group(THEN - timedelta(hours=20), 2, 0, 500)
    period(60 * 24, errored=1)

    def tried(at_least: int) -> list[int]:
        kind = kind_of("new-group", {"at_least": at_least})
        found = alerts.backtest(kind, stored.long(kind, None, THEN), THEN)
        return [one.firing.figures["instances"] for one in found.episodes]

    assert tried(2) == [2]
    assert tried(3) == []


def test_what_is_stuck_now_is_not_a_minute_old() -> None:
    found = rule("stuck")
    stuck = instance("i1", current_step="charge", read_at=THEN, expected_by=THEN - minutes(1))

    def told() -> list[str]:
        history = stored.recent(found, THEN)
        return [one.sentence for one in kind_of("stuck", {}).evaluate(history, THEN)]

    assert told() == ["1 instance later than normal, 1 of them in “charge”."]
    alerts.note_readings([], [], THEN - minutes(1))
    Instance.objects.filter(pk=stuck.pk).update(expected_by=None)
    assert told() == []


def test_what_is_usual_is_read_of_those_that_fail_now() -> None:
    found = rule("failure-rate")
    period(10, errored=10, completed=10)
    assert len(stored.recent(found, THEN).periods[workflow().pk]) == 1
    period(2_000, errored=40, completed=60)
    assert len(stored.recent(found, THEN).periods[workflow().pk]) == 2


def test_only_the_version_that_was_compared_last_is_called_bad() -> None:
    worse = Measure(Kind.FAILURES, "", 0.1, 0.5, 90, 90, 0.0, is_worse=True)
    for number in (1, 2):
        comparison = Comparison("v0", (worse,)).as_json()
        version(f"v{number}", comparison=comparison, compared_at=THEN - minutes(10 - number))

    history = stored.recent(rule("bad-version"), THEN)

    assert [one.sentence for one in kind_of("bad-version", {}).evaluate(history, THEN)] == [
        (
            "Version v2 does worse than the one before it: "
            "Instances that failed 50.0 %, before 10.0 % (90 vs 90)."
        )
    ]


def test_stuck_instances_are_noted_by_step_and_forgotten_when_they_go_on() -> None:
    for number in range(3):
        instance(
            f"i{number}",
            current_step="charge",
            read_at=THEN,
            expected_by=THEN - minutes(number + 1),
        )
    alerts.note_readings([], [], THEN)
    assert fires("stuck") == ["3 instances later than normal, 3 of them in “charge”."]

    Instance.objects.update(expected_by=None)
    alerts.note_readings([], [], THEN + minutes(1))
    assert fires("stuck", THEN + minutes(1)) == []


class TestWhatMayBeOlder:
    """A failure is not new while failures from before the workflow was watched are unread."""

    @pytest.fixture(autouse=True)
    def watched(self) -> None:
        workflow(first_seen_at=THEN - minutes(30), counts={"errored": 9})
        group(THEN - minutes(5), 4)

    def test_while_older_pages_were_not_read_and_hold_failures(self) -> None:
        gap = Gap.objects.create(workflow=workflow(), is_history=True, began_at=THEN)
        assert fires("new-group") == []

        Workflow.objects.update(counts={"errored": 0, "complete": 10_000})
        assert len(fires("new-group")) == 1
        Workflow.objects.update(counts=None)
        assert fires("new-group") == []
        gap.delete()
        assert len(fires("new-group")) == 1

    def test_while_one_from_before_was_listed_and_not_read(self) -> None:
        old = {"created_on": THEN - minutes(50), "ended_on": THEN - minutes(40)}
        row = instance("old", "errored", **old)
        assert fires("new-group") == []

        Instance.objects.filter(pk=row.pk).update(read_at=THEN)
        assert len(fires("new-group")) == 1

    def test_while_those_of_an_earlier_version_of_the_dashboard_are_not_grouped(self) -> None:
        past = UngroupedPast.objects.create(last_pk=9)
        assert fires("new-group") == []
        past.delete()
        assert len(fires("new-group")) == 1

    def test_but_it_is_new_while_failures_from_since_then_are_unread(self) -> None:
        instance("a", "errored", created_on=THEN - minutes(20), ended_on=THEN - minutes(6))
        instance("b", "errored", created_on=THEN - minutes(60), ended_on=THEN - minutes(6))

        assert len(fires("new-group")) == 1
