"""A comparison names each step that differs, and in what; the others it counts."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.insight.comparison import SHOWN, Comparison, StepPair, Told, compare
from dashboard.insight.json_changes import PLACES, json_changes
from tests.insight.details import NAMES, NOW, attempt, detail, running, sample, step


def compared(left: Any, right: Any) -> Comparison:
    return compare(Told(detail(left), NOW), Told(detail(right), NOW))


def pairs(comparison: Comparison) -> dict[str, StepPair]:
    return {pair.name: pair for stretch in comparison.stretches for pair in stretch.pairs}


def test_a_step_that_went_another_way_says_in_what() -> None:
    left = running(
        step("a-1", attempt(0, 1), output={"n": 1, "same": True}),
        step("b-1", attempt(1, 2, error="boom"), attempt(12, 13, error="boom")),
    )
    right = running(
        step("a-1", attempt(0, 3), output={"n": 2, "same": True}),
        step("b-1", attempt(3, 4), output="ok"),
    )

    found = pairs(compared(left, right))

    [change] = found["a-1"].output.shown
    assert (change.path, change.left, change.right) == ("n", "1", "2")
    changed = {fact.word for fact in found["b-1"].facts if fact.is_changed}
    assert changed == {"Outcome", "Attempts", "Error"}


def test_steps_that_only_one_side_has_stand_in_their_place() -> None:
    left = running(*(step(name, attempt(0, 1)) for name in ("a-1", "b-1", "c-1")))
    right = running(*(step(name, attempt(0, 1)) for name in ("a-1", "new-1", "c-1")))

    comparison = compared(left, right)

    assert [pair.name for s in comparison.stretches for pair in s.pairs] == [
        "a-1", "new-1", "b-1", "c-1",
    ]  # fmt: skip
    found = pairs(comparison)
    assert found["b-1"].right is None
    assert found["new-1"].left is None
    assert (comparison.changed, comparison.same) == (2, 2)


@pytest.mark.parametrize("name", NAMES)
def test_an_instance_is_the_same_as_itself(name: str) -> None:
    told = Told(sample(name), NOW)

    comparison = compare(told, told)

    assert comparison.is_same
    assert comparison.same == len(told.detail.steps)


def test_ten_thousand_steps_that_differ_are_counted_and_the_first_are_shown() -> None:
    left = running(*(step(f"s-{n}", attempt(0, 1), output=n) for n in range(10_000)))
    right = running(*(step(f"s-{n}", attempt(0, 1), output=-1) for n in range(10_000)))

    comparison = compared(left, right)

    assert comparison.changed == 10_000
    assert len(pairs(comparison)) == SHOWN
    assert comparison.hidden == 10_000 - SHOWN


@pytest.mark.parametrize(
    ("left", "right", "paths"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ["a[1].b"]),
        ([1], [1, 2], ["[1]"]),
        ({"a": 1}, {"a": True}, ["a"]),
        ("x", "y", [""]),
        ({"a": None}, {}, ["a"]),
        ({"a": 1, "b": [2]}, {"a": 1, "b": [2]}, []),
    ],
)
def test_the_places_where_values_differ_are_named(left: Any, right: Any, paths: list[str]) -> None:
    assert [change.path for change in json_changes(left, right).shown] == paths


def test_many_places_and_deep_values_are_borne() -> None:
    deep: Any = 1
    other: Any = 2
    for _ in range(900):
        deep, other = [deep], [other]

    assert json_changes([*range(1000)], [*range(1, 1001)]).has_more
    assert len(json_changes([*range(1000)], [*range(1, 1001)]).shown) == PLACES
    assert len(json_changes(deep, other).shown) == 1
