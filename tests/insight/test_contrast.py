"""What failing instances have in common, and what chance alone does not make so."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboard.insight.contrast import (
    PLACES,
    contrast,
    most_telling,
    params_features,
    row_features,
)


def test_a_value_that_all_failing_have_and_few_others_is_told_first() -> None:
    failing = [params_features({"provider": "acme", "id": n, "n": n % 2}) for n in range(31)]
    others = ["acme"] * 4 + ["globex"] * 116
    completed = [
        params_features({"provider": name, "id": n, "n": n % 2}) for n, name in enumerate(others)
    ]

    [trait] = contrast(failing, completed)

    assert (trait.where, trait.value) == ("params.provider", "= acme")
    assert (trait.failing, trait.of_failing, trait.completed, trait.of_completed) == (
        31, 31, 4, 120,
    )  # fmt: skip


def test_a_place_that_is_missing_and_one_that_is_null_are_told_apart() -> None:
    missing = [params_features({"a": 1})] * 20
    null = [params_features({"a": 1, "coupon": None})] * 20
    completed = [params_features({"a": 1, "coupon": "x"})] * 50

    assert [(t.where, t.value) for t in contrast(missing, completed)] == [
        ("params.coupon", "is missing")
    ]
    assert [(t.where, t.value) for t in contrast(null, completed)] == [("params.coupon", "= null")]


def test_items_of_lists_share_their_place_and_values_keep_their_type() -> None:
    assert {("params[].sku", "= A"), ("params[].sku", "= B")} <= params_features(
        [{"sku": "A"}, {"sku": "B"}]
    )
    told = params_features({"a": True, "b": 1, "c": "é"})
    assert {("params.a", "= true"), ("params.b", "= 1"), ("params.c", "= é")} <= told


def test_few_instances_and_what_chance_explains_tell_nothing() -> None:
    half = [row_features(f"v{n % 2}", "api", datetime(2026, 11, 21, 3, tzinfo=UTC)) for n in (0, 1)]

    assert contrast([half[0]] * 4, [half[1]] * 100) == []
    assert contrast([half[0]] * 100, [half[1]] * 4) == []
    assert contrast(half * 5, half * 50) == []
    assert contrast([*half * 5, half[0]], half * 50) == []


def test_what_fewer_than_half_of_the_failing_have_is_not_in_common() -> None:
    one, other = {("version", "v1")}, {("version", "v2")}

    assert contrast([one] * 49 + [other] * 51, [other] * 500) == []
    assert len(contrast([one] * 50 + [other] * 50, [other] * 500)) == 1


def test_huge_and_deep_params_are_looked_at_in_part() -> None:
    deep: object = 1
    for _ in range(500):
        deep = {"a": deep}

    assert len(params_features({str(n): n for n in range(100_000)})) == PLACES
    assert len(params_features(deep)) < 20
    assert params_features("x" * 10_000_000) == {("params", "is there")}


def test_the_most_telling_of_several_stand_first() -> None:
    weak = contrast([{("a", "1")}] * 60 + [set()] * 40, [set()] * 100)
    strong = contrast([{("b", "1")}] * 100, [set()] * 100)

    assert [trait.where for trait in most_telling(weak, strong)] == ["b", "a"]
