from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.insight.phase import PhaseKind, phase
from tests.insight.details import NAMES, NOW, START, attempt, detail, pause, running, sample, step

SAID = {
    "complete.caught": "Complete after 142 ms",
    "complete.dynamic-delay": "Complete after 321 ms",
    "complete.event-received": "Complete after 1.0 s",
    "complete.order-pipeline": "Complete after 6.5 s",
    "complete.output-1.5MB": "Complete after 400 ms",
    "complete.output-binary": "Complete after 373 ms",
    "complete.output-stream": "Complete after 489 ms",
    "complete.recover": "Complete after 932 ms",
    "errored.event-timeout": "Errored after 1.0 s in “wait for decision”",
    "errored.exhaust": "Errored after 2.1 s in “import rows”, after 4 attempts",
    "errored.nonretryable": "Errored after 38 ms in “parse header”",
    "errored.rolled-back": "Errored after 5.0 s in “close case”",
    "errored.throw": "Errored after 17 ms, outside any step",
    "errored.timeout": "Errored after 2.3 s in “download file”, after 2 attempts",
    "paused.after-step": "Paused between two steps",
    "paused.sleeping": "Paused while sleeping in “cooling off”; its clock stands still",
    "running.between-retries": "Retrying “import rows”: attempt 1 of 4 failed, next at about "
    "2026-11-21 00:38:35 UTC (in 59 m 43 s)",
    "running.in-step": "Running “pack parcel”, for 26 s",
    "running.rolling-back": "Running after “close case” failed, for 6.9 s",
    "running.sleeping": "Sleeping in “cooling off” since 2026-11-20 23:38:32 UTC; this engine "
    "does not say until when",
    "running.waiting-for-event": "Waiting for an event in “wait for decision” since "
    "2026-11-20 23:38:42 UTC",
    "terminated": "Terminated after 1.6 s during “cooling off”",
    "terminated.rolled-back": "Terminated after 1.0 s during “hold”",
    "waitingForPause": "Pausing: waits for “pack parcel” to finish",
}


def test_every_sample_is_told() -> None:
    assert list(SAID) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_phase_of_a_sample(name: str) -> None:
    assert phase(sample(name), NOW).text == SAID[name]


AT = START + timedelta(seconds=100)
OPEN_SLEEP = pause("sleep", "cooling off-1", 0, 7200)
OPEN_WAIT = pause("waitForEvent", "wait-1", 0, 160, event_type="approval")
OPEN_RETRY = step("import-1", attempt(90, 95, error="503"))
OPEN_STEP = step("pack-2", attempt(40, None))


@pytest.mark.parametrize(
    ("open_step", "kind", "text"),
    [
        (
            OPEN_SLEEP,
            PhaseKind.SLEEPING,
            "Sleeping in “cooling off” until 2026-11-21 01:00:00 UTC (in 1 h 58 m)",
        ),
        (
            OPEN_WAIT,
            PhaseKind.WAITING_FOR_EVENT,
            (
                "Waiting for event “approval” in “wait”, times out at 2026-11-20 23:02:40 UTC "
                "(in 1 m 00 s)"
            ),
        ),
        (
            OPEN_RETRY,
            PhaseKind.RETRYING,
            (
                "Retrying “import”: attempt 1 of 6 failed, next at about "
                "2026-11-20 23:01:45 UTC (in 5 s)"
            ),
        ),
        (OPEN_STEP, PhaseKind.RUNNING, "Running “pack-2”, for 1 m 00 s"),
    ],
)
@pytest.mark.parametrize("status", ["running", "waiting"])
def test_an_open_step_names_the_phase_whether_cloudflare_says_running_or_waiting(
    open_step: dict[str, object], kind: PhaseKind, text: str, status: str
) -> None:
    told = phase(detail(running(open_step, status=status)), AT)

    assert (told.kind, told.text) == (kind, text)


def test_of_several_open_steps_the_most_active_names_the_phase_and_the_others_are_listed() -> None:
    told = phase(detail(running(OPEN_SLEEP, OPEN_WAIT, OPEN_RETRY, OPEN_STEP)), AT)

    assert told.kind is PhaseKind.RUNNING
    assert told.step_index == 3
    assert [other.text.split(" ")[0] for other in told.others] == [
        "Retrying",
        "Waiting",
        "Sleeping",
    ]


def test_a_hundred_open_steps_are_counted_not_listed() -> None:
    told = phase(detail(running(*[step(f"item-{n}", attempt(0, None)) for n in range(100)])), AT)

    assert (len(told.others), told.others_left) == (5, 94)


def test_an_estimate_is_told_from_what_cloudflare_said() -> None:
    assert phase(detail(running(OPEN_RETRY)), AT).is_estimate
    assert not phase(detail(running(OPEN_SLEEP)), AT).is_estimate


def test_a_sleep_that_should_be_over_says_so() -> None:
    told = phase(detail(running(pause("sleep", "nap-1", 0, 40))), AT)

    assert told.text == (
        "Sleeping in “nap”; it was due to wake at 2026-11-20 23:00:40 UTC (1 m 00 s ago)"
    )


def test_a_dynamic_delay_is_not_guessed() -> None:
    config = {"retries": {"limit": 5, "delay": "[dynamic]", "backoff": "constant"}}

    told = phase(detail(running(step("a-1", attempt(90, 95, error="x"), config=config))), AT)

    assert told.until is None
    assert told.text == "Retrying “a”: attempt 1 of 6 failed; when the next one comes is not known"


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        ("queued", PhaseKind.QUEUED, "Queued for a free slot since 2026-11-20 23:00:00 UTC"),
        ("running", PhaseKind.RUNNING, "Running; no step has begun yet"),
        ("waiting", PhaseKind.WAITING, "Waiting; Cloudflare does not say for what"),
        ("paused", PhaseKind.PAUSED, "Paused"),
        ("waitingForPause", PhaseKind.PAUSING, "Pausing"),
        ("rollingBack", PhaseKind.ROLLING_BACK, "Rolling back"),
        ("complete", PhaseKind.COMPLETE, "Complete"),
        ("errored", PhaseKind.ERRORED, "Errored"),
        ("terminated", PhaseKind.TERMINATED, "Terminated"),
        ("hibernating", PhaseKind.UNKNOWN, "Cloudflare says “hibernating”, a status that"),
        (None, PhaseKind.UNKNOWN, "Cloudflare did not say what this instance is doing"),
    ],
)
def test_every_status_has_a_phase_even_without_steps(
    status: str | None, kind: PhaseKind, text: str
) -> None:
    told = phase(detail(running(status=status)), AT)

    assert told.kind is kind
    assert told.text.startswith(text)


def test_an_open_rollback_step_is_named() -> None:
    undo = step("charge-1", attempt(40, None), type="rollback")

    told = phase(detail(running(undo, status="rollingBack")), AT)

    assert (told.kind, told.text) == (
        PhaseKind.ROLLING_BACK,
        "Rolling back “charge”, for 1 m 00 s",
    )


def test_a_caught_failure_is_not_blamed() -> None:
    caught = step("optional-1", attempt(0, 1, error="said no"), success=False)
    fine = step("publish-1", attempt(2, 3))
    result = running(
        caught, fine, status="errored", end="2026-11-20T23:00:05Z", error={"message": "other"}
    )

    assert phase(detail(result), AT).step_index is None


def test_how_a_rollback_ended_is_told() -> None:
    result = running(status="terminated", rollback={"outcome": "failed", "error": None})

    assert phase(detail(result), AT).text.endswith("; the rollback failed")
