"""What a restart keeps and what runs again, for any log."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare.types import InstanceDetail, StepType
from dashboard.insight.restart import least_repeating, preflight, restartable
from tests.insight.details import attempt, detail, pause, running, sample, step


def names(steps: Any) -> list[str]:
    return [one.name for one in steps]


@st.composite
def logs(draw: st.DrawFn) -> InstanceDetail:
    """A log in the order in which its steps began, some of them side by side."""
    entries, now = [], 0
    for number in range(draw(st.integers(1, 12))):
        now += draw(st.integers(0, 3))
        name = f"{draw(st.sampled_from('abc'))}-{number + 1}"
        end = draw(st.none() | st.integers(now, now + 9))
        if draw(st.booleans()):
            error = "broken" if end and draw(st.booleans()) else ""
            done = {"success": not error} if end else {}
            entries.append(step(name, attempt(now, end, error=error), **done))
        else:
            entries.append(pause("sleep", name, now, end, finished=end is not None))
    status = draw(st.sampled_from(["running", "errored", "terminated", "paused"]))
    return detail(running(*entries, status=status))


@given(logs(), st.data())
def test_every_step_is_kept_or_runs_again_and_the_start_runs_again(
    log: InstanceDetail, data: st.DataObject
) -> None:
    start = data.draw(st.none() | st.sampled_from(restartable(log)))

    found = preflight(log, start)

    assert sorted(names(found.kept) + names(found.again)) == sorted(names(log.steps))
    assert start is None or start in found.again


@given(logs(), st.data())
def test_what_ended_before_the_start_is_kept_and_what_began_after_it_is_not(
    log: InstanceDetail, data: st.DataObject
) -> None:
    start = data.draw(st.sampled_from(restartable(log)))

    found = preflight(log, start)

    for one in log.steps:
        assert one.start
        assert start.start
        if one.success is not None and one.end and one.end < start.start:
            assert one in found.kept
        if one.start > start.start or one.success is None:
            assert one in found.again


@given(logs())
def test_no_other_start_keeps_more_of_what_the_instance_can_use(log: InstanceDetail) -> None:
    best = least_repeating(log)
    if best is None:
        return
    culprits = [one for one in log.steps if one.success is False and one.index < best.index]

    for other in restartable(log):
        more = len(preflight(log, other).kept) > len(preflight(log, best).kept)
        # Only from behind the step that failed it, whose failure would be kept.
        assert not more or other.index > best.index or culprits


def test_from_the_beginning_everything_runs_again() -> None:
    log = sample("errored.exhaust")

    found = preflight(log, None)

    assert (found.kept, names(found.again)) == ((), names(log.steps))


def test_the_start_that_is_proposed_is_the_step_that_failed_the_instance() -> None:
    log = detail(
        running(
            step("a-1", attempt(0, 1)),
            step("b-1", attempt(1, 2)),
            step("charge-1", attempt(3, 4, error="no"), success=False, end="2026-11-20T23:00:04Z"),
            step("beside-1", attempt(3.1, 9)),
            status="errored",
            error={"name": "Error", "message": "no"},
        )
    )

    start = least_repeating(log)

    assert start
    assert start.name == "charge-1"
    assert names(preflight(log, start).kept) == ["a-1", "b-1"]
    assert names(preflight(log, start).again) == ["charge-1", "beside-1"]


def test_a_step_in_a_loop_is_named_with_its_number() -> None:
    log = detail(running(*(step(f"item-{n}", attempt(n, n + 0.5)) for n in range(1, 5))))

    third = restartable(log)[2]

    assert (third.base_name, third.count) == ("item", 3)
    assert names(preflight(log, third).kept) == ["item-1", "item-2"]


def test_of_two_steps_of_one_name_only_the_first_can_be_named() -> None:
    log = detail(
        running(
            pause("sleep", "x-1", 0, 1), pause("sleep", "x-1", 2, 3), step("x-1", attempt(4, 5))
        )
    )

    assert [one.index for one in restartable(log)] == [0, 2]


def test_rollbacks_and_terminations_are_no_start_and_run_no_step_again() -> None:
    log = sample("terminated.rolled-back")

    kinds = {one.type for one in preflight(log, None).again} | {
        one.type for one in restartable(log)
    }

    assert kinds <= {StepType.STEP, StepType.SLEEP, StepType.WAIT_FOR_EVENT}


def test_what_was_rolled_back_is_kept_all_the_same_and_said() -> None:
    undone = step("a-1", attempt(5, 6)) | {"type": "rollback"}
    log = detail(
        running(step("a-1", attempt(0, 1)), step("b-1", attempt(2, 3)), undone, status="errored")
    )

    assert preflight(log, restartable(log)[1]).is_undone
    assert not preflight(log, restartable(log)[0]).is_undone


@pytest.mark.parametrize("name", ["complete.order-pipeline", "running.in-step"])
def test_where_nothing_need_be_repeated_or_can_be_kept_no_start_is_proposed(name: str) -> None:
    log = sample(name)

    start = least_repeating(log)

    assert start is None or preflight(log, start).kept
    assert not name.startswith("complete") or start is None
