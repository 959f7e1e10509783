from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.insight.durations import duration, short, spoken


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10 seconds", 10),
        ("1 second", 1),
        ("1 hour", 3600),
        ("1 hour 30 minutes", 5400),
        ("1.5 hours", 5400),
        ("2 days", 172_800),
        ("1 week", 604_800),
        ("1 month", 30 * 86400),
        ("500ms", 0.5),
        ("10s", 10),
        ("5 MINUTES", 300),
        ("1000", 1),
        (1000, 1),
        (0, 0),
        (2.5, 0.0025),
    ],
)
def test_a_duration_is_read_however_it_is_written(written: str | float, seconds: float) -> None:
    assert duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", [None, "", "  ", "[dynamic]", "soon", "ten seconds", "10 parsecs", "1e400", True]
)
def test_what_cannot_be_told_is_none(written: str | None) -> None:
    assert duration(written) is None


@given(st.one_of(st.text(), st.integers(), st.floats()))
def test_no_duration_raises(written: str | float) -> None:
    assert duration(written) is None or isinstance(duration(written), timedelta)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (-5, "0 ms"),
        (0.34, "340 ms"),
        (0.9999, "1 s"),
        (1.25, "1.2 s"),
        (9.96, "9.9 s"),
        (42, "42 s"),
        (245, "4 m 05 s"),
        (7080, "1 h 58 m"),
        (86400 * 30, "30 d 00 h"),
    ],
)
def test_a_duration_is_spoken_in_at_most_two_units(seconds: float, text: str) -> None:
    assert spoken(timedelta(seconds=seconds)) == text


def test_a_duration_is_short_where_there_is_little_room() -> None:
    assert short(timedelta(minutes=5)) == "5 m"
    assert short(timedelta(days=30)) == "30 d"
    assert short(timedelta(minutes=5, seconds=7)) == "5 m 07 s"
