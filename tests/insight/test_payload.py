from __future__ import annotations

from typing import Any

import pytest

from dashboard.insight.payload import payload, preview, size_words


def test_a_value_is_pretty_json_and_a_text_stands_as_it_is() -> None:
    assert payload({"a": [1, None]}).text == '{\n  "a": [\n    1,\n    null\n  ]\n}'
    assert payload("line one\nline two").text == "line one\nline two"
    assert payload("ключ").size == 8


def test_a_long_value_is_cut_and_knows_its_size() -> None:
    cut = payload("x" * 100_000, limit=1000)

    assert (len(cut.text), cut.size_words, cut.is_cut) == (1000, "100 kB", True)
    assert not cut.is_whole


def test_what_cloudflare_hides_is_told_apart() -> None:
    assert payload("[REDACTED]").is_redacted


def test_a_value_nested_too_deep_is_still_shown() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]

    assert payload(deep).text == "(a value nested too deeply to be written out)"
    assert preview(deep).startswith("[[[")


def test_a_preview_is_one_line() -> None:
    assert preview("one\n\n  two") == "one two"
    assert preview({"rows": list(range(1000))}, 20) == '{"rows": [0, 1, 2, …'


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1500, "1.5 kB"),
        (999_999, "1 MB"),
        (1_500_000, "1.5 MB"),
    ],
)
def test_a_size_is_told_in_words(size: int, text: str) -> None:
    assert size_words(size) == text
