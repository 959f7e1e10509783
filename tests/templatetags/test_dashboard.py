from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import translation

from dashboard.cloudflare.types import Status
from dashboard.templatetags import dashboard
from tests.rows import THEN
from tests.translation.pseudo import Pseudo


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 ms"),
        (340, "340 ms"),
        (4250, "4.2 s"),
        (12_000, "12 s"),
        (12_900, "12 s"),
        (184_000, "3 m 04 s"),
        (3_720_000, "1 h 02 m"),
        (2 * 86_400_000 + 3 * 3_600_000, "2 d 03 h"),
        (timedelta(milliseconds=340), "340 ms"),
        (timedelta(hours=1, minutes=2), "1 h 02 m"),
    ],
)
def test_a_duration_has_at_most_two_units(value: object, words: str) -> None:
    assert dashboard.duration(value) == words  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(), "0 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=4, seconds=2), "4 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(minutes=-12), "in 12 min"),
    ],
)
def test_an_age_is_told_in_one_unit_with_the_exact_time_beside_it(
    before: timedelta, words: str
) -> None:
    html = dashboard.age(THEN - before, THEN)

    assert f">{words}</time>" in html
    assert f'title="{THEN - before:%Y-%m-%d %H:%M:%S} UTC"' in html


def test_what_is_not_known_is_a_dash() -> None:
    assert dashboard.instant(None) == "–"
    assert dashboard.age(None, THEN) == "–"
    assert dashboard.elapsed(None, THEN) == "–"
    assert dashboard.or_nothing(0) == 0


def test_an_instant_is_told_in_utc() -> None:
    assert dashboard.instant(THEN) == (
        '<time datetime="2026-11-20T03:00:00+00:00">2026-11-20 03:00:00 UTC</time>'
    )


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_word_and_an_icon_of_its_own(status: Status) -> None:
    badge = dashboard.status_badge(status.value)

    assert badge.endswith(f" {dashboard.STATUS_WORDS[status]}</span>")
    assert f'icons.svg#{status.value}"' in badge


def test_what_is_remembered_is_said_in_the_language_of_who_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "Errored" in dashboard.status_badge("errored")
    with monkeypatch.context() as other:
        other.setattr(translation, "_trans", Pseudo())
        assert "⟦Errored⟧" in dashboard.status_badge("errored")
        assert "⟦4 min ago⟧" in dashboard.age(THEN - timedelta(minutes=4), THEN)

    assert "⟦" not in dashboard.status_badge("errored")


def test_an_unknown_status_keeps_the_word_it_came_with() -> None:
    badge = dashboard.status_badge("hibernating")

    assert badge.endswith(" hibernating</span>")
    assert 'icons.svg#unknown"' in badge
    assert "data-unknown" in badge


@pytest.mark.parametrize("length", [5, 12, 36])
def test_a_text_without_its_middle_is_no_longer_than_asked(length: int) -> None:
    assert len(dashboard.middle("x" * 271, length)) <= length
    assert dashboard.middle("x" * length, length) == "x" * length
