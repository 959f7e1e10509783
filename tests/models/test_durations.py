"""Rounded durations are few, and percentiles of them nearly those of the durations themselves."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dashboard.insight.percentiles import percentile
from dashboard.models.durations import rounded
from dashboard.models.storing import LARGEST


@given(st.integers(0, LARGEST))
def test_rounding_is_off_by_one_percent_at_most_and_stays_as_it_is(milliseconds: int) -> None:
    once = rounded(milliseconds)

    assert abs(once - milliseconds) <= 0.5 + 0.01 * milliseconds
    assert rounded(once) == once


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(
    told: list[int], percent: int
) -> None:
    found = percentile(Counter(told), percent)

    assert found in told
    assert sum(one <= found for one in told) * 100 >= percent * len(told)
    assert sum(one < found for one in told) * 100 < percent * len(told)


def test_nothing_has_no_percentile() -> None:
    assert percentile({}, 50) is None
