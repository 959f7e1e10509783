"""Counts over time as small bars, with the same in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dashboard.insight.spark import HEIGHT, columns, spark

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_hours_are_summed_up_and_what_lies_outside_is_left_out() -> None:
    since = NOW.replace(minute=0) - 8 * HOUR
    hours = {since - HOUR: 9, since: 1, since + 3 * HOUR: 2, since + 8 * HOUR: 4}

    counted = columns(hours, since=since, now=NOW, step=4 * HOUR)

    assert counted == [(since, 3), (since + 4 * HOUR, 0), (since + 8 * HOUR, 4)]


def test_each_interval_with_any_has_a_bar_that_is_seen() -> None:
    told = spark([(NOW, 1), (NOW + HOUR, 0), (NOW + 2 * HOUR, 1000)], HOUR)

    assert told.width == 3
    assert told.path == f"M0 {HEIGHT}v-2h.8v2zM2 {HEIGHT}v-{HEIGHT}h.8v{HEIGHT}z"
    assert told.label == "At most 1,000 per hour, from 21 Nov 14:30 UTC on; 1,000 in the last hour."


def test_nothing_has_no_bar_and_says_so() -> None:
    assert spark([(NOW, 0)], HOUR).path == ""
    assert spark([(NOW, 0)], HOUR).label == "None failed."
