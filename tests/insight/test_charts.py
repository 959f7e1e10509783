"""Numbers over time as shapes: nothing is left out, nothing leaves the picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.insight.charts import HEIGHT, Bar, ranges, stacked

HOUR = timedelta(hours=1)
THEN = datetime(2026, 11, 21, tzinfo=UTC)
NUMBERS = st.integers(min_value=0, max_value=10**9)
KINDS = ["complete", "errored", "later"]


def inside(bars: list[Bar]) -> bool:
    return all(
        bar.x >= 0 and bar.x + bar.width <= 100.01 and bar.y >= -0.1 and bar.height > 0
        for bar in bars
    )


@given(st.lists(st.dictionaries(st.sampled_from(KINDS), NUMBERS), max_size=60))
def test_every_number_has_a_bar_that_is_seen(columns: list[dict[str, int]]) -> None:
    chart = stacked(
        [(THEN + HOUR * place, counts) for place, counts in enumerate(columns)], KINDS, HOUR
    )

    assert len(chart.bars) == sum(number > 0 for counts in columns for number in counts.values())
    assert inside(chart.bars)
    assert all(bar.height >= 1.5 for bar in chart.bars)


def test_a_column_is_as_high_as_its_number() -> None:
    chart = stacked([(THEN, {"complete": 10, "errored": 10}), (THEN + HOUR, {})], KINDS, HOUR)

    assert [(bar.kind, bar.y, bar.height) for bar in chart.bars] == [
        ("complete", HEIGHT / 2, HEIGHT / 2),
        ("errored", 0, HEIGHT / 2),
    ]
    assert [mark.label for mark in chart.down] == ["20", "10"]
    assert [bar.title for bar in chart.bars] == ["10 complete", "10 errored"]
    assert chart.rectangles.startswith(
        '<rect data-status="complete" x="5.0%" width="40.0%" y="70.0" height="70.0">'
        "<title>10 complete</title></rect>"
    )


@pytest.mark.parametrize(("number", "top"), [(1, "2"), (3, "4"), (5, "10"), (41, "100")])
def test_the_axis_ends_at_a_round_number(number: int, top: str) -> None:
    assert stacked([(THEN, {"complete": number})], KINDS, HOUR).down[0].label == top


PAIR = st.tuples(NUMBERS, NUMBERS).map(sorted) | st.just([None, None])


@given(st.lists(PAIR, max_size=60))
def test_a_range_stands_between_its_durations(pairs: list[list[int | None]]) -> None:
    columns = [(THEN + HOUR * place, low, high) for place, (low, high) in enumerate(pairs)]

    chart = ranges(columns, HOUR)

    assert len(chart.bars) == 2 * sum(low is not None for low, _ in pairs)
    assert inside(chart.bars)


def test_longer_is_higher_and_said_in_words() -> None:
    chart = ranges([(THEN, 1_000, 60_000), (THEN + HOUR, 10_000, 10_000)], HOUR)

    first, *_, later = chart.bars
    assert first.title == "p50 1 s, p95 1 m"
    assert first.y < later.y
    assert [mark.label for mark in chart.down] == ["1 s", "10 s", "1 m", "10 m"]
