from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dashboard.insight.phase import phase
from dashboard.insight.prospect import Prospect, prospect
from tests.insight import details
from tests.insight.details import NOW, START

KNOWN = {"charge": (412, 60_000, 300_000)}
RUNNING = details.step("charge-1", details.attempt(10, None), success=None, end=None)


def told(known: Any, *steps: dict[str, Any], **rest: Any) -> Prospect | None:
    detail = details.detail(details.running(*steps, **rest))
    return prospect(detail, phase(detail, NOW), known)


def test_it_is_told_from_the_beginning_of_the_step_that_it_is_in() -> None:
    found = told(KNOWN, RUNNING)

    assert found is not None
    begun = START + timedelta(seconds=10)
    assert (found.median, found.p90) == (begun + timedelta(minutes=1), begun + timedelta(minutes=5))
    assert found.text == "of 412 of this version that passed “charge” and completed"


def test_with_too_little_history_there_is_no_moment_but_the_number() -> None:
    assert told({"charge": (29, 1, 1)}, RUNNING) == Prospect("charge", 29)
    assert told({}, RUNNING) == Prospect("charge", 0)
    assert told({"charge": (30, 10**18, 10**18)}, RUNNING) == Prospect("charge", 30)


@pytest.mark.parametrize("status", ["paused", "waitingForPause", "rollingBack", "complete"])
def test_nothing_is_said_of_what_does_not_go_on(status: str) -> None:
    assert told(KNOWN, RUNNING, status=status) is None


def test_nothing_is_said_between_two_steps() -> None:
    assert told(KNOWN, details.step("charge-1", details.attempt(0, 1))) is None
