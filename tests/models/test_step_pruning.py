"""How steps went is kept as long as instances are; single failures are bounded in any case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard import tasks
from dashboard.models import FailedAttempt, StepHour, step_pruning
from dashboard.models.step_pruning import PIECE, prune_steps
from tests.rows import THEN, workflow

DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def pruned(keep: timedelta | None = None, *, is_time_up: bool = False) -> int:
    return prune_steps(keep=keep, now=THEN, is_time_up=lambda: is_time_up)


def hour(age: timedelta) -> None:
    StepHour.objects.create(workflow=workflow(), begins_on=THEN - age, step_name="charge")


def failures(number: int, age: timedelta, *, of: str = "orders") -> None:
    FailedAttempt.objects.bulk_create(
        FailedAttempt(
            workflow=workflow(of), step_name="charge", instance_id=str(one), failed_on=THEN - age
        )
        for one in range(number)
    )


def test_hours_are_kept_for_good_unless_days_are_set() -> None:
    hour(400 * DAY)
    hour(8 * DAY)
    hour(6 * DAY)

    assert pruned() == 0
    assert pruned(7 * DAY) == 2
    assert StepHour.objects.count() == 1


def test_single_failures_are_kept_for_93_days_at_most() -> None:
    failures(1, 94 * DAY)
    failures(1, 92 * DAY)

    assert pruned() == 1
    assert pruned(200 * DAY) == 0
    assert pruned(7 * DAY) == 1


def test_of_each_workflow_only_so_many_failures_are_kept_the_newest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(step_pruning, "MOST_KEPT", 3)
    for age in range(5):
        failures(1, age * DAY)
    failures(1, 9 * DAY, of="refunds")

    assert pruned() == 2
    left = FailedAttempt.objects.filter(workflow=workflow()).values_list("failed_on", flat=True)
    assert {*left} == {THEN - age * DAY for age in range(3)}
    assert FailedAttempt.objects.filter(workflow=workflow("refunds")).count() == 1


def test_it_goes_on_piece_by_piece_until_the_time_is_up() -> None:
    failures(PIECE + 10, 100 * DAY)

    assert pruned(is_time_up=True) == 0
    assert pruned() == PIECE + 10


def test_the_task_keeps_the_bounds_also_where_no_days_are_set(settings: Any) -> None:
    settings.KEEP_DAYS = 0
    failures(1, 900 * DAY)

    tasks.prune()

    assert not FailedAttempt.objects.exists()
