"""Nothing that looks or is called like a secret gets through, in whatever it is wrapped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dashboard.insight.redaction import HIDDEN, Redaction
from tests.insight.details import NAMES, recorded

SECRETS = (
    "hunter2hunter2",
    "ana@example.com",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "AKIAIOSFODNN7EXAMPLE",
    "sk_live_51H8abcdefghij",
    "4242 4242 4242 4242",
)


@pytest.mark.parametrize(
    "wrapped",
    [
        {"password": "hunter2hunter2"},
        {"Db-Pass_word": {"deep": ["hunter2hunter2"]}},
        {"api_key": 4242424242424242, "note": "password=hunter2hunter2"},
        {"x": '{"apiKey": "hunter2hunter2"}'},
        {"x": 'error: {\\"token\\": \\"hunter2hunter2\\"} end'},
        "Authorization: Bearer hunter2hunter2",
        "https://bob:hunter2hunter2@example.com/x",
        "client_secret = 'hunter2hunter2'",
        ["mail to ana@example.com now"],
        {"ana@example.com": 1},
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl!",
        "AKIAIOSFODNN7EXAMPLE sk_live_51H8abcdefghij",
        "card 4242 4242 4242 4242, thanks",
        '{"cut": "yes", "password": "hunter2hunter2 [truncated output]',
    ],
)
def test_a_secret_does_not_get_through(wrapped: Any) -> None:
    rules = Redaction()

    shown = json.dumps(rules.value(wrapped))

    assert not any(secret in shown for secret in SECRETS), shown
    assert HIDDEN in shown
    assert rules.count > 0


@pytest.mark.parametrize(
    "harmless",
    [
        {"orderId": "1234567890123456", "at": "2026-11-21T03:00:00.123Z", "total": 12.5},
        "Error: upstream answered 503 after 10000 ms",
        {"password": "", "token": None, "has_secret": True},
        "0b8f6a3e-4f7a-4f0a-9c53-1f0a7c9c2c55",
    ],
)
def test_what_is_harmless_stays(harmless: Any) -> None:
    rules = Redaction()

    assert rules.value(harmless) == harmless
    assert rules.count == 0


def test_a_word_of_the_maker_hides_keys_and_texts() -> None:
    rules = Redaction(words=["Jane Doe", "shoe"])

    shown = rules.value({"shoeSize": 38, "note": "for JANE DOE (VIP)", "other": 1})

    assert shown == {f"{HIDDEN}Size": HIDDEN, "note": f"for {HIDDEN} (VIP)", "other": 1}


def answer() -> Any:
    return {
        "status": "errored",
        "params": {"a": 1},
        "output": '{"b": 2}',
        "error": {"name": "Error", "message": "own"},
        "steps": [
            {
                "type": "step",
                "name": "charge-1",
                "output": '{"c": 3}',
                "error": {"name": "E", "message": "four"},
                "attempts": [{"success": False, "error": {"name": "E", "message": "five"}}],
            },
            {"type": "step", "name": "keep-1", "output": '"six"'},
            {"type": "step", "name": "s-1", "output": "seven", "config": {"sensitive": "output"}},
        ],
    }


def test_a_hidden_step_shows_neither_output_nor_errors_and_a_sensitive_one_never() -> None:
    shown = json.dumps(Redaction(steps=["charge"]).answer(answer()))

    assert not any(word in shown for word in ('{\\"c\\"', "four", "five", "seven"))
    assert all(word in shown for word in ("charge-1", "six", "own"))


def test_params_and_outputs_can_be_hidden_as_a_whole() -> None:
    shown = Redaction(hides_params=True, hides_outputs=True).answer(answer())

    assert (shown["params"], shown["output"]) == (HIDDEN, HIDDEN)
    assert {step["output"] for step in shown["steps"]} == {HIDDEN}


@pytest.mark.parametrize("name", NAMES)
def test_recorded_answers_keep_their_course(name: str) -> None:
    told = recorded(name)

    shown = Redaction().answer(told)

    assert [step.get("start") for step in shown["steps"]] == [
        step.get("start") for step in told["steps"]
    ]
    assert shown["status"] == told["status"]
