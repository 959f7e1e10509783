"""How a reader looks at an instance stands in the address, all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import QueryDict

from dashboard.forms.steps import StepsForm
from dashboard.insight.view import View
from tests.insight.details import START, attempt, detail, running, step

EVERYTHING = View(
    text="item & co",
    type="waitForEvent",
    only_failed=True,
    since=START + timedelta(seconds=1.5),
    until=START + timedelta(seconds=9),
    opened=frozenset({1786001400, 17}),
    unfolded={3: 50, 90: 100},
    page="2",
    others=(("generation", "1"), ("generation", "2")),
)
FAILED = step("charge-1", attempt(0, 1, error="declined"))
TOLD = detail(running(FAILED, step("mail-1", attempt(2, 3)), step("mail-2", attempt(2, None))))


def read(query: str) -> View:
    return StepsForm(QueryDict(query)).view


@pytest.mark.parametrize("view", [View(), EVERYTHING, EVERYTHING.but(page="", step=7)])
def test_an_address_says_all_of_it(view: View) -> None:
    assert read(view.address.removeprefix("?")) == view


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday", "to=99999-01-01", "step=x", "step=%00", "open=x&open=1e9", "unfold=3",
        "unfold=a:b", "steps=%D9%A1", "q=%00", "step=99999999999999999999", "type=%ED%A0%80",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_as_if_it_were_not_there(query: str) -> None:
    view = read(query)

    assert not view.is_zoomed
    assert (view.opened, view.unfolded, view.step) == (frozenset(), {}, None)


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("from=yesterday", "from", "“yesterday” is no time; write it as 2026-11-20T03:00 (UTC)."),
        ("from=2026-11-20T03:00&to=2026-11-20T02:00", "to", "This is not after the beginning."),
    ],
)
def test_a_time_that_is_none_is_said_to_be_none(query: str, field: str, sentence: str) -> None:
    assert StepsForm(QueryDict(query)).errors == {field: [sentence]}


@pytest.mark.parametrize(
    ("view", "left"),
    [
        (View(), [0, 1, 2]),
        (View(text="MAIL"), [1, 2]),
        (View(type="sleep"), []),
        (View(only_failed=True), [0]),
        (View(text="mail", only_failed=True), []),
    ],
)
def test_a_filter_leaves_what_fits_all_of_it(view: View, left: list[int]) -> None:
    assert [step.index for step in TOLD.steps if view.matches(step, TOLD)] == left


def test_a_permalink_keeps_the_filter_only_where_it_leaves_the_step_in() -> None:
    view = View(text="mail", since=START)

    assert view.to_step(TOLD.steps[1], TOLD) == "?q=mail&from=2026-11-20T23%3A00%3A00&step=1#step-1"
    assert view.to_step(TOLD.steps[0], TOLD) == "?from=2026-11-20T23%3A00%3A00&step=0#step-0"
