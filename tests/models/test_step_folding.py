"""Old hours are summed up by day: no figure changes by it, and rows get few."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.models import StepHour, step_figures
from dashboard.models.step_folding import fold_hours
from tests.rows import THEN, workflow

HOUR = timedelta(hours=1)
MIDNIGHT = THEN.replace(hour=0)

pytestmark = pytest.mark.django_db


def folded(*, is_time_up: bool = False) -> int:
    return fold_hours(now=THEN, is_time_up=lambda: is_time_up)


def hours(number: int, *, until: timedelta) -> None:
    """One row for each of so many hours, the last of which is so long ago."""
    for one in range(number):
        begins_on = MIDNIGHT - until - one * HOUR
        StepHour.objects.create(
            workflow=workflow(),
            begins_on=begins_on,
            step_name="charge",
            version_id=f"v{one % 2}",
            succeeded=2,
            failed=1,
            failed_attempts=3,
            durations={"100": 1, str(200 + one): 1},
            last_failed_on=begins_on,
            last_failed_in=f"i-{one}",
        )


def test_old_days_become_one_row_of_each_step_and_version_and_no_figure_changes() -> None:
    hours(100, until=timedelta(days=4))
    hours(10, until=timedelta(0))
    [before] = step_figures.of_workflow(workflow(), MIDNIGHT - timedelta(days=30))

    assert folded() == 5

    [after] = step_figures.of_workflow(workflow(), MIDNIGHT - timedelta(days=30))
    assert after == before
    assert StepHour.objects.count() == 5 * 2 + 1 + 10


def test_what_is_counted_later_is_added_to_the_day() -> None:
    hours(3, until=timedelta(days=4))
    folded()
    hours(1, until=timedelta(days=4, hours=-5))

    assert folded() == 1
    [figures] = step_figures.of_workflow(workflow(), MIDNIGHT - timedelta(days=30))
    assert figures.succeeded == 8


def test_folded_days_are_left_alone_and_the_time_is_heeded() -> None:
    hours(100, until=timedelta(days=4))

    assert folded(is_time_up=True) == 0
    assert folded() > 0
    assert folded() == 0
