from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.insight.states import StepState
from dashboard.insight.step_rows import StepRow, step_row
from dashboard.insight.view import View
from tests.insight.details import START, attempt, detail, pause, running, sample, step

AT = START + timedelta(seconds=100)


def row(entry: dict[str, object], **rest: object) -> StepRow:
    told = detail(running(entry, **rest))
    return step_row(told.steps[0], told, AT, View())


def test_attempts_are_counted_against_what_is_allowed() -> None:
    told = row(step("import-1", attempt(0, 2, error="503"), attempt(12, 13)))

    assert told.attempts_word == "2 of 6"
    assert [(a.word, a.length, a.pause) for a in told.attempts] == [
        ("Failed", "2 s", ""),
        ("Done", "1 s", "10 s"),
    ]


def test_an_open_step_grows_and_a_paused_one_stands_still() -> None:
    nap = pause("sleep", "nap-1", 10, None)

    assert row(nap).ticks_since == START + timedelta(seconds=10)
    assert row(nap, status="paused").ticks_since is None


def test_a_step_whose_instance_ended_under_it_is_cut_off() -> None:
    told = row(
        pause("sleep", "nap-1", 10, 5000), status="terminated", end="2026-11-20T23:00:40.000Z"
    )

    assert told.state is StepState.STOPPED
    assert told.length == "30 s"


def test_the_configuration_is_told_in_words() -> None:
    [*_, tokenise, _] = sample("complete.order-pipeline").steps
    told = step_row(tokenise, sample("complete.order-pipeline"), AT, View())

    assert {fact.word: fact.value for fact in told.facts} == {
        "Retries": "up to 5",
        "Delay": "1 s, exponential",
        "Timeout": "10 minutes per attempt",
        "Sensitive": "its output is hidden by Cloudflare",
    }
    assert told.output
    assert told.output.is_redacted
    assert not told.can_load_output


def test_a_dynamic_delay_is_called_what_it_is() -> None:
    config = {"retries": {"limit": 3, "delay": "[dynamic]", "backoff": "constant"}}

    facts = row(step("a-1", attempt(0, 1), config=config)).facts

    assert ("Delay", "computed by the workflow") in [(f.word, f.value) for f in facts]


@pytest.mark.parametrize(
    ("retry", "said", "seconds"),
    [
        ({"limit": 5, "delay": 10_000, "backoff": "constant"}, "about 2026-11-20 23:00:23 UTC", 23),
        ({"limit": 5, "delay": 10_000, "backoff": "linear"}, "about 2026-11-20 23:00:33 UTC", 33),
        ({"limit": 5, "delay": "[dynamic]"}, "unknown: the workflow computes the delay", None),
        ({"limit": 5, "delay": 10_000, "backoff": "fibonacci"}, "unknown", None),
        ({"limit": 1, "delay": 10_000, "backoff": "constant"}, "none: it was the last one", None),
    ],
)
def test_the_next_attempt_is_told_as_far_as_anybody_can_tell(
    retry: dict[str, object], said: str, seconds: int | None
) -> None:
    tries = [attempt(0, 1, error="503"), attempt(12, 13, error="503")]

    facts = {fact.word: fact for fact in row(step("a-1", *tries, config={"retries": retry})).facts}

    assert facts["Next attempt"].value == said
    until = None if seconds is None else START + timedelta(seconds=seconds)
    assert facts["Next attempt"].until == until


def test_an_entry_of_an_unknown_type_shows_what_was_sent() -> None:
    told = row({"type": "teleport", "name": "beam-1", "warp": 9})

    assert told.raw
    assert '"warp": 9' in told.raw.text
