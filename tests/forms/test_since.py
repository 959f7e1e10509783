"""The moment to compare with, as an address names it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.forms.since import Since

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("2026-11-21T02:30", timedelta(minutes=30)),
        ("2026-11-21T02:30:00+01:00", timedelta(minutes=90)),
        (" 2026-11-20 ", timedelta(hours=27)),
    ],
)
def test_it_is_a_span_or_a_moment(text: str, ago: timedelta) -> None:
    since = Since.read(text, NOW)

    assert (since.at, since.error) == (NOW - ago, "")


def test_a_span_begins_with_a_whole_minute() -> None:
    assert Since.read("1h", NOW + timedelta(seconds=59)).at == NOW - timedelta(hours=1)


def test_nothing_is_compared_when_nothing_is_asked_for() -> None:
    assert Since.read("", NOW) == Since()


@pytest.mark.parametrize("text", ["yesterday", "3h", "\0", "2026-11-21T04:00", "9" * 500, "<b>"])
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    since = Since.read(text, NOW)

    assert since.at is None
    assert since.error.endswith(("15m, 1h, 8h, 24h.", "has not come yet."))


def test_the_moment_can_be_kept_in_the_field_of_a_form() -> None:
    assert Since.read("1h", NOW).field == "2026-11-21T02:00:00"
