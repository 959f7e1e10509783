"""What rules look at, out of the tables that the sync keeps: each kind fires on real rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard import alerts
from dashboard.alerts import stored
from dashboard.alerts.kinds import kind_of
from dashboard.models import CountsThen, ErrorGroup, Instance, Workflow, WorkflowPeriod
from tests.rows import THEN, instance, minutes, workflow

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


def test_a_new_group_is_found_until_it_is_old() -> None:
    ErrorGroup.objects.create(
        workflow=workflow(), fingerprint="f", error_name="TypeError", message="no <x>",
        first_seen_on=THEN - minutes(5), last_seen_on=THEN, count=4,
    )  # fmt: skip

    assert fires("new-group") == ["New error in orders, 4 instances so far: TypeError: no <x>"]
    assert fires("new-group", THEN + minutes(56)) == []


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
