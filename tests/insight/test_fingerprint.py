"""One cause is one group, and two causes are two: judged by messages that people labelled."""

from __future__ import annotations

import pytest

from benchmarks.fingerprints import PARTS, labelled, score
from dashboard.insight.fingerprint import Failure, failure_of
from dashboard.insight.normalising import KEPT, normal
from tests.insight.details import at, attempt, detail, running, sample, step


@pytest.mark.parametrize("part", PARTS)
def test_messages_are_grouped_by_their_cause(part: str) -> None:
    messages = labelled(part)

    found = score(messages)

    assert len({one.cause for one in messages}) >= 95
    assert found.precision > 0.95, found.mixed[:5]
    assert found.recall > 0.95, found.apart[:5]


def test_the_set_is_large_enough_to_mean_something() -> None:
    assert sum(len(labelled(part)) for part in PARTS) >= 300


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("Customer cus_9f3kQ2mB7 not found", "Customer <id> not found"),
        ("order-1234 took 1,204.5 ms", "order-<n> took <n>"),
        ("no vid_0a1b2c3d4e5f", "no vid-<n>"),
        ("no vid_012345678901", "no vid-<n>"),
        ("upstream 0a1b2c3d4e5f is down", "upstream <id> is down"),
        ("upstream 012345678901 is down", "upstream <id> is down"),
        ("expired at 2026-11-21T02:14:09.331Z", "expired at <time>"),
        ("mail to ana.lopez@example.com bounced", "mail to <email> bounced"),
        ("connect ECONNREFUSED 10.0.3.17:5432", "connect ECONNREFUSED <ip>:5432"),
        ("GET https://api.acme.com/v1/orders/8812?x=1 returned 502",
         "GET https://api.acme.com/v1/orders/<n> returned 502"),
        ('column "email" does not exist', 'column "email" does not exist'),
        ('invalid input for type uuid: "4711"', "invalid input for type uuid: <text>"),
        ("open /app/src/pay.ts:41:27 failed", "open /app/src/pay.ts failed"),
        ('failed: {"error":{"code":"gone","message":"Card 0341 is blocked"},"trace":"8f14e45f"}',
         "failed: error: code: gone message: Card <n> is blocked"),
        ("it broke\n    at charge (worker.js:1182:31)\n    at run (worker.js:80:4)", "it broke"),
        ("Kunde 10442 wurde nicht gefunden", "Kunde <n> wurde nicht gefunden"),
        ("注文ID「A-10293」が見つかりません", "注文ID<text>が見つかりません"),
    ],
)  # fmt: skip
def test_what_differs_from_one_failure_to_the_next_is_taken_out(message: str, told: str) -> None:
    assert normal(message) == told


@pytest.mark.parametrize(
    "message",
    [
        "a" * 10_000_000,
        "1" * 10_000_000,
        '"' * 10_000_000,
        "'a " * 3_000_000,
        '{"' * 3_000_000,
        '{"a":' * 100_000 + "1",
        "[" * 1_000_000,
        "a." * 1_000_000,
        "a/" * 1_000_000,
        "aB1-" * 1_000_000,
        "a@" * 1_000_000,
        "http://" * 100_000,
        "1:" * 1_000_000,
        "1 2" * 1_000_000,
        "\n" * 10_000_000 + "at x",
        "\x00\ud800" * 100_000,
        "",
    ],
    ids=lambda text: repr(text[:6]),
)
def test_any_text_has_a_normal_form_that_is_short_and_can_be_stored(message: str) -> None:
    told = normal(message)

    assert len(told) <= KEPT
    assert "\x00" not in told
    told.encode()
    assert normal(message) == told
    assert Failure("", "", message).fingerprint.startswith("v1:")


def test_step_and_name_of_the_error_tell_failures_apart_and_ids_in_them_do_not() -> None:
    one = Failure("charge card", "TypeError", "x").fingerprint

    assert Failure("charge card", "RangeError", "x").fingerprint != one
    assert Failure("refund card", "TypeError", "x").fingerprint != one
    same = {Failure(f"import order-{n}", "TypeError", "x").fingerprint for n in (17, 4711)}
    assert len(same) == 1


class TestFailureOf:
    def test_an_instance_that_is_not_errored_has_none(self) -> None:
        assert failure_of(sample("complete.caught")) is None

    def test_the_step_and_its_own_error_are_told(self) -> None:
        found = failure_of(sample("errored.exhaust"))

        assert found is not None
        assert (found.step, found.name) == ("import rows", "Error")
        assert found.message == "upstream returned 503 on attempt 4"

    def test_what_cloudflare_wraps_around_an_error_is_taken_off(self) -> None:
        found = failure_of(sample("errored.nonretryable"))

        assert found is not None
        assert (found.step, found.name) == ("parse header", "NonRetryableError")
        assert found.message.startswith("header row i")

    def test_an_error_between_steps_has_no_step(self) -> None:
        found = failure_of(sample("errored.throw"))

        assert found is not None
        assert (found.step, found.name) == ("", "TypeError")

    def test_an_error_without_anything_is_one_all_the_same(self) -> None:
        told = running(step("a-1", attempt(0, 1)), status="errored", end=at(2), error=None)

        found = failure_of(detail(told))

        assert found == Failure("", "", "")
