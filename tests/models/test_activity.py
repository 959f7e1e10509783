"""Instances over time, by version and by step: each is counted where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.models import Instance, Version, Workflow, activity, tallies
from dashboard.models.activity import StepCount
from tests.rows import instance, version, workflow

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 21, 3, 20, tzinfo=UTC)


@pytest.fixture
def orders(db: None) -> Workflow:
    return workflow()


def test_each_is_counted_in_the_interval_in_which_it_began(orders: Workflow) -> None:
    begins = NOW.replace(minute=0)
    moments = [begins, begins - HOUR, begins - timedelta(microseconds=1), begins - 3 * HOUR]
    for number, moment in enumerate(moments):
        instance(f"i-{number}", "errored" if number else "running", of=orders, created_on=moment)
    instance("odd", "brandNew", of=orders, created_on=NOW)
    instance("other", of=workflow("other"), created_on=NOW)
    tallies.recount(orders.pk)

    found = activity.over_time(orders, HOUR, 3, NOW)

    assert [one.begins for one in found] == [begins - 2 * HOUR, begins - HOUR, begins]
    assert [one.counts for one in found] == [{}, {"errored": 2}, {"running": 1, "brandNew": 1}]
    assert [one.errored_percent for one in found] == [None, 100, None]


def test_durations_are_those_of_the_newest_complete_ones(
    orders: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "SAMPLE", 3)
    for number in range(5):
        moment = NOW - timedelta(minutes=number)
        instance(f"i-{number}", "complete", of=orders, created_on=moment, duration_ms=number)
    instance("failed", "errored", of=orders, created_on=NOW, duration_ms=99)
    instance("old", "complete", of=orders, created_on=NOW - HOUR, duration_ms=7)
    tallies.recount(orders.pk)

    before, last = activity.over_time(orders, HOUR, 2, NOW)

    assert sorted(last.durations.elements()) == [0, 1, 2]
    assert (last.p50, last.p95, before.p50) == (1, 2, 7)


def test_a_workflow_without_instances_has_empty_intervals(orders: Workflow) -> None:
    found = activity.over_time(orders, HOUR, 24, NOW)

    assert len(found) == 24
    assert {one.number for one in found} == {0}
    assert activity.shares(orders) == {}


def test_a_share_is_of_the_newest_instances(
    orders: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "NEWEST", 4)
    states = ["errored", "running", "complete", "complete", "errored"]
    for number, status in enumerate(states):
        moment = NOW - timedelta(minutes=number)
        name = "new" if number < 3 else "old"
        instance(f"i-{number}", status, of=orders, created_on=moment, version_id=name)

    found = activity.shares(orders)

    assert {name: (one.percent, one.errored, one.unfinished) for name, one in found.items()} == {
        "new": (75, 1, 1),
        "old": (25, 0, 0),
    }


def test_a_step_counts_who_is_in_it_and_who_errored_in_it(orders: Workflow) -> None:
    version("v1", of=orders)
    for name, status, step, of_version in (
        ("a", "running", "charge", "v1"),
        ("b", "waiting", "charge", "v1"),
        ("c", "errored", "charge", "v1"),
        ("d", "complete", "charge", "v1"),
        ("e", "running", "charge", "v2"),
        ("f", "running", "", "v1"),
        ("g", "queued", "nap", "v1"),
    ):
        instance(name, status, of=orders, current_step=step, version_id=of_version)
    Instance.objects.filter(instance_id="b").update(expired_at=NOW)

    found = activity.in_steps(Version.objects.get())

    assert found == {"charge": StepCount(1, 1), "nap": StepCount(1, 0)}
