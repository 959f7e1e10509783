from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.search.values import NumberRange, TimeRange, milliseconds, number, time_range

NOW = datetime(2026, 11, 21, 3, 0, 30, tzinfo=UTC)
DAY = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        (">2h", NOW - timedelta(hours=2), None),
        ("2h", NOW - timedelta(hours=2), None),
        ("<15m", None, NOW - timedelta(minutes=15)),
        ("2026-11-20", DAY, DAY + timedelta(days=1)),
        ("yesterday", DAY, DAY + timedelta(days=1)),
        ("today", DAY + timedelta(days=1), DAY + timedelta(days=2)),
        (">2026-11-20", DAY + timedelta(days=1), None),
        (">=2026-11-20", DAY, None),
        ("<2026-11-20", None, DAY),
        ("<=2026-11-20", None, DAY + timedelta(days=1)),
        ("2026-11-20T03:00", DAY + timedelta(hours=3), DAY + timedelta(hours=3, minutes=1)),
        (">=2026-11-20T03:00:10Z", DAY + timedelta(hours=3, seconds=10), None),
        ("<2026-11-20T03:00+02:00", None, DAY + timedelta(hours=1)),
    ],
)
def test_a_time_is_a_range(text: str, since: datetime | None, until: datetime | None) -> None:
    assert time_range(text, NOW) == TimeRange(since, until)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (">10m", NumberRange(600_001, None)),
        ("<=500ms", NumberRange(None, 500)),
        (">=1d", NumberRange(86_400_000, None)),
        ("<1s", NumberRange(None, 999)),
    ],
)
def test_a_length_is_compared_in_milliseconds(text: str, found: NumberRange) -> None:
    assert milliseconds(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("3", NumberRange(3, 3)), (">3", NumberRange(4, None))]
)
def test_a_number_may_be_compared_or_not(text: str, found: NumberRange) -> None:
    assert number(text) == found


@given(text=st.text(max_size=12) | st.from_regex(r"[<>]=?\d{1,12}(ms|[a-z])", fullmatch=True))
def test_any_other_text_is_a_value_error(text: str) -> None:
    for read in (milliseconds, number, lambda value: time_range(value, NOW)):
        try:
            read(text)
        except ValueError:
            continue
