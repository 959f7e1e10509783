from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from dashboard.insight.overdue import expected_by, is_stuck, overdue
from dashboard.insight.standing import Standing
from tests.insight.details import NOW

SINCE = NOW - timedelta(minutes=14)
MINUTE = timedelta(minutes=1)
FOR_14_MIN = "Running “charge-card” for 14 m"


@dataclass
class Usual:
    n: int = 1_204
    p99: int = 41_000
    version_id: str = "v1"


@dataclass
class Row:
    phase: str = "running"
    current_step: str = "charge-card"
    due_on: datetime | None = None
    at_work_on: datetime | None = None
    expected_by: datetime | None = None
    read_at: datetime | None = NOW
    expired_at: datetime | None = None
    workflow_id: int = 1
    version_id: str = "v1"


def test_a_step_may_take_half_as_long_again_as_it_usually_does_and_at_least_a_minute_more() -> None:
    told = Standing("running", "charge", at_work_on=SINCE)

    assert expected_by(told, Usual(p99=100)) == SINCE + timedelta(seconds=60.1)
    assert expected_by(told, Usual(p99=600_000)) == SINCE + 15 * MINUTE


def test_a_step_of_which_too_few_are_known_is_held_to_its_own_timeout() -> None:
    told = Standing("running", "charge", at_work_on=SINCE, timeout=10 * MINUTE)

    assert expected_by(told, Usual(n=29)) == SINCE + 11 * MINUTE
    assert expected_by(told, None) == SINCE + 11 * MINUTE
    assert expected_by(Standing("running", "charge", at_work_on=SINCE), None) is None


@pytest.mark.parametrize("phase", ["sleeping", "waiting-for-event"])
def test_what_ends_by_the_clock_is_never_late_before_its_end(phase: str) -> None:
    due = NOW + timedelta(days=30)

    assert expected_by(Standing(phase, "nap", due_on=due), Usual(p99=1)) == due + 5 * MINUTE
    assert expected_by(Standing(phase, "nap"), Usual()) is None


def test_a_retry_is_late_when_its_next_attempt_should_be_over() -> None:
    told = Standing("retrying", "charge", due_on=NOW)

    assert expected_by(told, None) == NOW + 5 * MINUTE
    assert expected_by(told, Usual(p99=600_000)) == NOW + 15 * MINUTE


def test_a_queue_is_held_to_what_is_usual_for_it_or_to_nothing() -> None:
    told = Standing("queued", at_work_on=SINCE)

    assert expected_by(told, Usual(p99=1_000)) == SINCE + timedelta(seconds=301)
    assert expected_by(told, None) is None


@pytest.mark.parametrize("phase", ["paused", "unknown", "waiting", ""])
def test_nothing_is_to_come_of_what_is_paused_or_not_known(phase: str) -> None:
    assert expected_by(Standing(phase), Usual()) is None


def test_a_moment_beyond_all_time_is_no_moment() -> None:
    late = Standing("sleeping", due_on=datetime.max.replace(tzinfo=NOW.tzinfo))

    assert expected_by(late, None) is None


def test_it_is_stuck_only_if_somebody_looked_after_it_was_due() -> None:
    assert is_stuck(Row(expected_by=NOW - MINUTE))
    assert not is_stuck(Row(expected_by=NOW))
    assert not is_stuck(Row(expected_by=NOW - MINUTE, read_at=NOW - 2 * MINUTE))
    assert not is_stuck(Row(expected_by=NOW - MINUTE, expired_at=NOW))
    assert not is_stuck(Row())


@pytest.mark.parametrize(
    ("row", "usual", "text"),
    [
        (
            Row(at_work_on=SINCE, expected_by=SINCE + MINUTE),
            Usual(),
            f"{FOR_14_MIN}; 99 % of 1,204 took less than 41 s in this version",
        ),
        (
            Row(at_work_on=SINCE, expected_by=SINCE + MINUTE),
            Usual(version_id=""),
            f"{FOR_14_MIN}; 99 % of 1,204 took less than 41 s in all versions",
        ),
        (
            Row(at_work_on=SINCE, expected_by=SINCE + 11 * MINUTE),
            None,
            "Running “charge-card” for 14 m; its timeout is 10 m",
        ),
        (
            Row("queued", "", at_work_on=SINCE, expected_by=SINCE + MINUTE),
            Usual(version_id=""),
            "Queued for 14 m; 99 % of 1,204 waited less than 41 s in all versions",
        ),
        (
            Row("sleeping", "nap", due_on=SINCE, expected_by=SINCE + MINUTE),
            None,
            "Sleeping in “nap”; it was due to wake 14 m ago",
        ),
        (
            Row("waiting-for-event", "approval", due_on=SINCE, expected_by=SINCE + MINUTE),
            None,
            "Waiting for an event in “approval”; its timeout passed 14 m ago",
        ),
        (
            Row("running", "", at_work_on=SINCE, expected_by=SINCE + MINUTE),
            Usual(),
            "Running between two steps for 14 m",
        ),
        (
            Row("rolling-back", "hold", at_work_on=SINCE, expected_by=SINCE + 11 * MINUTE),
            None,
            "Rolling back “hold” for 14 m; its timeout is 10 m",
        ),
    ],
)
def test_the_reason_is_said_in_words(row: Row, usual: Usual | None, text: str) -> None:
    why = overdue(row, usual, NOW)

    assert why is not None
    assert why.text == text


def test_nothing_is_said_of_what_is_not_stuck() -> None:
    assert overdue(Row(at_work_on=SINCE, expected_by=NOW + MINUTE), Usual(), NOW) is None
