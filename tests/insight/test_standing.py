from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dashboard.insight.places import value_at
from dashboard.insight.retention import kept_until
from dashboard.insight.standing import standing
from tests.insight import details
from tests.insight.details import NOW


@pytest.mark.parametrize(
    ("sample", "phase", "step"),
    [
        ("running.sleeping", "sleeping", "cooling off"),
        ("running.waiting-for-event", "waiting-for-event", "wait for decision"),
        ("running.between-retries", "retrying", None),
        ("running.in-step", "running", None),
        ("paused.sleeping", "paused", "cooling off"),
        ("complete.recover", "", ""),
        ("errored.exhaust", "", None),
    ],
)
def test_a_row_keeps_the_phase_while_it_lasts_and_the_step(
    sample: str, phase: str, step: str | None
) -> None:
    told = standing(details.sample(sample), NOW)

    assert told.phase == phase
    assert told.step == step or (step is None and told.step)


def test_a_row_keeps_the_attempts_of_the_step_and_when_the_next_is_due() -> None:
    trying = details.step("charge-1", details.attempt(0, 5, error="no"), success=None, end=None)
    told = standing(details.detail({"status": "running", "steps": [trying]}), NOW)

    assert (told.phase, told.step, told.attempts) == ("retrying", "charge", 1)
    assert told.due_on == details.START + timedelta(seconds=15)


@pytest.mark.parametrize(
    ("status", "ended_on", "expected"),
    [
        ("complete", NOW, NOW + timedelta(days=3)),
        ("errored", NOW, NOW + timedelta(minutes=5)),
        ("terminated", NOW, None),
        ("running", None, None),
        ("complete", None, None),
        ("hibernating", NOW, None),
    ],
)
def test_the_retention_of_its_status_counts_from_its_end(
    status: str, ended_on: datetime | None, expected: datetime | None
) -> None:
    assert kept_until(status, ended_on, "259200000", "5 minutes") == expected


@pytest.mark.parametrize("retention", ["", "[dynamic]", "9" * 40, "99999999 years"])
def test_a_retention_that_says_nothing_gives_no_date(retention: str) -> None:
    assert kept_until("complete", NOW, retention, "") is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("params.customer.id", "c-1"),
        ("params.items[1].n", "2"),
        ("params", '{"customer": {"id": "c-1"}, "items": [{"n": 1}, {"n": 2}], "null": null}'),
        ("params.items[9].n", None),
        ("params.items.n", None),
        ("params.customer[0]", None),
        ("params.null", None),
        ("output", "done"),
        ("output.x", None),
    ],
)
def test_a_value_is_found_by_its_path_or_not_at_all(path: str, expected: str | None) -> None:
    detail = details.detail(
        {
            "status": "complete",
            "params": {"customer": {"id": "c-1"}, "items": [{"n": 1}, {"n": 2}], "null": None},
            "output": "done",
        }
    )

    assert value_at(detail, path) == expected
