from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare.types import Status
from dashboard.forms.steps import StepsForm
from dashboard.insight.instance_page import instance_page
from dashboard.insight.scale import WIDTH, scale
from dashboard.insight.segments import Kind
from dashboard.insight.timeline import MOST_ROWS, Row, Timeline, timeline
from dashboard.insight.view import View
from tests.insight.details import (
    NAMES,
    NOW,
    START,
    at,
    attempt,
    detail,
    pause,
    running,
    sample,
    step,
)

AT = START + timedelta(seconds=100)
DAY = 86400


def kinds(row: Row) -> list[str]:
    return [segment.kind.slug for segment in row.segments]


def drawn(*steps: dict[str, Any], seconds: float = 100, **rest: Any) -> Timeline:
    return timeline(detail(running(*steps, **rest)), START + timedelta(seconds=seconds))


@pytest.mark.parametrize("name", NAMES)
def test_each_step_of_a_sample_has_a_row_with_its_name(name: str) -> None:
    told = sample(name)

    rows = [row for row in timeline(told, NOW).rows if row.step_indexes]

    assert [row.name for row in rows] == [step.name for step in told.steps]


def test_attempts_and_backoffs_are_drawn_apart() -> None:
    tries = [attempt(0, 2, error="503"), attempt(12, 13, error="503"), attempt(33, 40)]

    [row] = drawn(step("import-1", *tries)).rows

    assert kinds(row) == ["failed", "backoff", "failed", "backoff", "done"]
    assert row.segments[0].label == "import-1, attempt 1, failed after 2 s: Error: 503"
    assert row.segments[1].label == "import-1, back-off of 10 s before attempt 2"


def test_an_attempt_that_runs_reaches_now() -> None:
    told = drawn(step("pack-1", attempt(10, None)))

    [segment] = told.rows[0].segments
    assert segment.is_open
    assert segment.x + segment.width == pytest.approx(told.now_x)
    assert segment.label == "pack-1, running for 1 m 30 s"


def test_what_is_still_to_come_of_a_sleep_is_drawn_behind_now() -> None:
    [row] = drawn(pause("sleep", "nap-1", 0, 150)).rows

    assert kinds(row) == ["sleep", "planned"]
    assert row.segments[1].label == "nap-1, until 2026-11-20 23:02:30 UTC, in 50 s"


def test_a_wait_ends_in_a_flag_where_its_timeout_ends_it() -> None:
    timed_out = pause("waitForEvent", "wait-1", 0, 60) | {
        "finished": True,
        "error": {"name": "WorkflowTimeoutError", "message": ""},
    }

    open_wait, over = drawn(pause("waitForEvent", "later-1", 0, 150), timed_out).rows

    assert [segment.is_timeout for segment in open_wait.segments] == [False, True]
    assert [segment.is_timeout for segment in over.segments] == [True]
    assert over.segments[0].label == "wait-1, timed out after 1 m 00 s"


def test_the_queue_has_a_row_of_its_own_when_there_was_one() -> None:
    rows = drawn(step("a-1", attempt(30, 40)), start=at(30)).rows

    assert rows[0].name == "queued"
    assert kinds(rows[0]) == ["queued"]
    assert rows[0].length == "30 s"


def test_a_termination_is_a_mark_at_the_end() -> None:
    told = drawn(
        step("a-1", attempt(0, 10)),
        {"type": "termination", "trigger": {"source": "api"}},
        status="terminated",
        end=at(20),
    )

    assert kinds(told.rows[1]) == ["termination"]
    assert told.now_x is None


def test_a_type_nobody_knows_is_drawn_as_what_it_is() -> None:
    told = drawn({"type": "teleport", "name": "beam-1", "start": at(0), "end": at(5)})

    assert kinds(told.rows[0]) == ["other"]


def test_a_step_without_times_has_a_row_and_no_bar() -> None:
    [row] = drawn({"type": "step", "name": "ghost-1"}).rows

    assert row.segments == ()
    assert row.note == "no times are known"


def test_the_legend_names_what_is_drawn_and_nothing_else() -> None:
    told = drawn(step("a-1", attempt(0, 1)), pause("sleep", "nap-1", 1, None))

    assert told.legend == (Kind.DONE, Kind.SLEEP)


def test_a_month_of_sleep_does_not_crush_the_seconds_around_it() -> None:
    told = drawn(
        step("charge-1", attempt(0, 2)),
        pause("sleep", "cooling off-1", 2, 30 * DAY) | {"finished": True},
        step("remind-1", attempt(30 * DAY, 30 * DAY + 4)),
        status="complete",
        end=at(30 * DAY + 4),
    )

    charge, sleep, remind = (row.segments[0] for row in told.rows)
    assert [(mark.label, mark.title) for mark in told.breaks] == [("30 d", "29 d 23 h")]
    assert charge.width > 200
    assert remind.width > 400
    assert sleep.width < 100


def test_a_backoff_keeps_its_growth_as_long_as_it_can() -> None:
    tries = [attempt(t, t + 1, error="503") for t in (0, 61, 182, 423)]

    assert drawn(step("import-1", *tries), seconds=500).breaks == ()


def test_seconds_are_never_cut_out() -> None:
    told = drawn(step("a-1", attempt(0, 0.01)), pause("sleep", "nap-1", 1, None), seconds=50)

    assert told.breaks == ()


def test_a_loop_of_many_steps_shares_a_row_and_its_failures_stand_beneath() -> None:
    loop = [step(f"item-{n}", attempt(n, n + 1)) for n in range(1, 138)]
    for n in (20, 40, 60):
        loop[n] |= {"success": False, "attempts": [attempt(n + 1, n + 2, error="broken")]}

    told = drawn(step("plan-1", attempt(0, 1)), *loop, step("publish-1", attempt(140, None)))

    assert [row.name for row in told.rows] == [
        "plan-1", "item ×137", "item-21", "item-41", "item-61", "publish-1",
    ]  # fmt: skip
    assert told.rows[1].note == "3 failed"
    assert {index for row in told.rows for index in row.step_indexes} == set(range(139))


def test_more_rows_than_an_eye_can_take_are_left_to_the_table_and_said_so() -> None:
    told = drawn(*[step(f"step {chr(97 + n % 26)}{n}", attempt(n, n + 1)) for n in range(400)])

    assert len(told.rows) == MOST_ROWS
    assert told.hidden_steps == 400 - MOST_ROWS


def test_ticks_stand_at_round_numbers_from_the_time_of_day() -> None:
    told = drawn(step("a-1", attempt(0, 6.5)), status="complete", end=at(6.5))

    assert [tick.label for tick in told.ticks] == [
        "23:00:00", "+1 s", "+2 s", "+3 s", "+4 s", "+5 s", "+6 s",
    ]  # fmt: skip


# -- how it is looked at ---------------------------------------------------------------------------


MONTH = [
    step("charge-1", attempt(0, 2)),
    pause("sleep", "cooling off-1", 2, 30 * DAY) | {"finished": True},
    step("remind-1", attempt(30 * DAY, 30 * DAY + 4)),
]
LOOP = [step(f"item-{n}", attempt(n, n + 1)) for n in range(1, 138)]
LOOP[20] |= {"success": False, "attempts": [attempt(21, 22, error="broken")]}


def looked_at(*steps: dict[str, Any], view: View, length: float) -> Timeline:
    told = detail(running(*steps, status="complete", end=at(length)))
    return timeline(told, START + timedelta(days=90), view)


def test_a_break_opens_by_its_own_link() -> None:
    [gap] = looked_at(*MONTH, view=View(), length=30 * DAY + 4).breaks
    query = QueryDict(gap.href.removeprefix("?").removesuffix("#timeline"))

    told = looked_at(*MONTH, view=StepsForm(query).view, length=30 * DAY + 4)

    assert told.breaks == ()
    assert told.rows[1].segments[0].width > 950


def test_a_shorter_time_shows_what_was_at_work_in_it() -> None:
    view = View(since=START + timedelta(days=30, seconds=1), until=START + timedelta(days=31))

    told = looked_at(*MONTH, view=view, length=30 * DAY + 4)

    assert [row.name for row in told.rows] == ["remind-1"]
    assert told.outside_steps == 2
    assert told.origin == view.since
    assert told.end == view.until


def test_a_shorter_time_shows_each_step_of_a_loop_that_is_short_enough() -> None:
    view = View(since=START + timedelta(seconds=10.5), until=START + timedelta(seconds=12.5))

    told = looked_at(*LOOP, view=view, length=140)

    assert [row.name for row in told.rows] == ["item-10", "item-11", "item-12"]


def test_now_stands_only_in_a_time_that_holds_it() -> None:
    told = detail(running(step("a-1", attempt(0, None))))

    assert timeline(told, AT, View(until=START + timedelta(seconds=50))).now_x is None
    assert timeline(told, AT, View(since=START + timedelta(seconds=50))).now_x is not None


def test_a_filter_dims_and_moves_nothing() -> None:
    plain = looked_at(*MONTH, view=View(), length=30 * DAY + 4)
    dimmed = looked_at(*MONTH, view=View(type="sleep"), length=30 * DAY + 4)

    assert [row.is_dim for row in dimmed.rows] == [True, False, True]
    assert [[bar.x for bar in row.segments] for row in dimmed.rows] == [
        [bar.x for bar in row.segments] for row in plain.rows
    ]


def test_bars_of_a_loop_that_touch_are_one_and_its_failure_is_another() -> None:
    group = looked_at(*LOOP, view=View(), length=140).rows[0]

    assert [(bar.kind, bar.label) for bar in group.segments] == [
        (Kind.DONE, "item-1 and 19 more, done"),
        (Kind.FAILED, "item-21, failed after 1 s: Error: broken"),
        (Kind.DONE, "item-22 and 115 more, done"),
    ]


def test_an_unfolded_loop_shows_its_failures_first_and_so_many_of_the_others() -> None:
    told = looked_at(*LOOP, view=View(unfolded={0: 3}), length=140)

    assert [row.name for row in told.rows] == [
        "item ×137", "item-21", "item-1", "item-2", "item-3",
    ]  # fmt: skip
    assert [row.is_member for row in told.rows] == [False, True, True, True, True]
    assert told.rows[0].hidden == 133


def test_where_not_all_rows_are_drawn_those_that_failed_are() -> None:
    steps = [step(f"step {chr(97 + n % 26)}{n}", attempt(n, n + 1)) for n in range(400)]
    steps[390] |= {"success": False, "attempts": [attempt(390, 391, error="broken")]}

    told = drawn(*steps)

    assert told.rows[-1].name == "step a390"
    assert len(told.rows) == MOST_ROWS


# -- whatever Cloudflare may send -----------------------------------------------------------------

seconds = st.one_of(
    st.none(),
    st.floats(-10, 300),
    st.sampled_from([0.0, 60.0, -40 * DAY, 400 * DAY, -60_000.0 * DAY, 2_000_000.0 * DAY]),
)
instants = seconds.map(lambda s: None if s is None else at(s))
errors = st.sampled_from([None, {"name": "Error", "message": "broken\nin two lines"}, "text", {}])
attempts = st.fixed_dictionaries(
    {"start": instants, "end": instants, "success": st.sampled_from([None, True, False])},
    optional={"error": errors},
)
steps = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["step", "sleep", "waitForEvent", "rollback", "termination", "teleport", None]
        ),
        "name": st.sampled_from(["a-1", "b-2", "", None, "item-1", "item-2"]),
        "start": instants,
        "end": instants,
        "success": st.sampled_from([None, True, False]),
        "finished": st.sampled_from([None, True, False]),
        "error": errors,
        "attempts": st.one_of(st.none(), st.lists(attempts, max_size=4)),
        "config": st.sampled_from(
            [
                None,
                {"retries": {"limit": 3, "delay": "1 hour", "backoff": "exponential"}},
                {"retries": {"limit": None, "delay": "[dynamic]"}, "sensitive": "output"},
            ]
        ),
        "output": st.sampled_from([None, "text", {"a": [1]}]),
    },
)
details = st.fixed_dictionaries(
    {
        "status": st.sampled_from([*(s.value for s in Status), "hibernating", None]),
        "steps": st.one_of(st.none(), st.lists(steps, max_size=60)),
        "queued": instants,
        "start": instants,
        "end": instants,
        "error": errors,
    }
)


@given(details)
def test_any_detail_can_be_shown(result: dict[str, Any]) -> None:
    told = detail(result)

    page = instance_page(told, AT)

    shown = {index for row in page.timeline.rows for index in row.step_indexes}
    assert shown == set(range(len(told.steps)))
    assert len(page.rows) == len(told.steps)
    for segment in (segment for row in page.timeline.rows for segment in row.segments):
        assert 0 <= segment.x <= segment.x + segment.width <= WIDTH + 1e-6
        assert segment.width > 0
    for mark in page.timeline.ticks:
        assert 0 <= mark.x <= WIDTH + 1e-6
    assert page.phase.text


intervals = st.lists(
    st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)).map(lambda pair: (min(pair), max(pair)))
)


@given(st.floats(0, 1e7), intervals, intervals, st.lists(st.floats(-1e8, 1e8), min_size=2))
def test_a_later_moment_never_stands_further_left(
    length: float,
    busy: list[tuple[float, float]],
    pauses: list[tuple[float, float]],
    moments: list[float],
) -> None:
    ruler = scale(length, busy, pauses)

    places = [ruler.x(moment) for moment in sorted(moments)]

    assert all(a <= b + 1e-6 for a, b in pairwise(places))
    assert all(0 <= place <= WIDTH + 1e-6 for place in places)
