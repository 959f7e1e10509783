from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.cloudflare.types import StepConfig
from dashboard.insight import retries
from tests.insight.details import START, attempt, detail, running, step


@pytest.mark.parametrize(
    ("backoff", "seconds"),
    [
        ("constant", [10, 10, 10, 10]),
        ("linear", [10, 20, 30, 40]),
        ("exponential", [10, 20, 40, 80]),
    ],
)
def test_the_delay_grows_as_the_backoff_says(backoff: str, seconds: list[int]) -> None:
    config = StepConfig(limit=5, delay="10 seconds", backoff=backoff)

    assert [retries.delay_after(config, n) for n in (1, 2, 3, 4)] == [
        timedelta(seconds=s) for s in seconds
    ]


def test_without_a_backoff_only_the_first_delay_is_known() -> None:
    config = StepConfig(limit=5, delay=10_000)

    assert retries.delay_after(config, 1) == timedelta(seconds=10)
    assert retries.delay_after(config, 2) is None


@pytest.mark.parametrize("delay", [None, "[dynamic]", "some day"])
def test_a_delay_that_nobody_can_tell_is_not_guessed(delay: str | None) -> None:
    assert retries.delay_after(StepConfig(delay=delay, backoff="constant"), 1) is None


def test_ten_thousand_retries_do_not_overflow() -> None:
    config = StepConfig(limit=10_000, delay="1 hour", backoff="exponential")

    assert retries.delay_after(config, 10_000) is not None


def test_the_next_attempt_counts_from_the_end_of_the_last() -> None:
    open_step = step("import-1", attempt(0, 2, error="503"), attempt(12, 13, error="503"))

    [found] = detail(running(open_step)).steps

    assert retries.next_attempt_on(found) == START + timedelta(seconds=33)


def test_after_the_last_allowed_attempt_there_is_no_next_one() -> None:
    config = {"retries": {"limit": 1, "delay": 1000, "backoff": "constant"}}
    tries = [attempt(0, 2, error="503"), attempt(3, 4, error="503")]

    [found] = detail(running(step("import-1", *tries, config=config))).steps

    assert retries.attempts_allowed(found.config) == 2
    assert retries.next_attempt_on(found) is None


def test_an_attempt_without_an_end_has_no_next_one() -> None:
    failed = attempt(0, 2, error="503") | {"end": None}

    [found] = detail(running(step("import-1", failed, success=None))).steps

    assert retries.next_attempt_on(found) is None
