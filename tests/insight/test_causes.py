"""Which groups stand for one cause, and the sentence that names what is broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.insight.causes import (
    TOGETHER,
    Appeared,
    Failing,
    Hanging,
    Place,
    Told,
    causes,
    headline,
)
from dashboard.insight.group_state import GroupState

NOW = datetime(2026, 11, 21, 3, 40, tzinfo=UTC)
AT = NOW.replace(minute=12)
CHARGE = Place(1, "order-pipeline", "charge card", "/orders/")
CLOSE = Place(2, "refund-saga", "close case", "/refunds/")


def failing(
    error: str = "PaymentProviderError",
    place: Place = CHARGE,
    *,
    after: timedelta = timedelta(),
    count: int = 10,
    state: GroupState = GroupState.NEW,
    may_be_older: bool = False,
) -> Failing:
    title = f"{error}: it failed"
    return Failing(place, error, title, "/groups/1/", state, AT + after, count, may_be_older)


def errors(*found: Failing) -> list[list[str]]:
    return [[part.error for part in cause.parts] for cause in causes(found)]


def test_an_error_and_the_timeout_that_began_with_it_in_one_step_are_one_cause() -> None:
    slow = failing("WorkflowTimeoutError", after=timedelta(minutes=2), count=27)

    [cause] = causes([failing(), slow])

    assert [part.error for part in cause.parts] == ["WorkflowTimeoutError", "PaymentProviderError"]
    assert (cause.count, cause.began, cause.apart) == (37, AT, timedelta(minutes=2))
    assert cause.text == (
        "WorkflowTimeoutError and PaymentProviderError in charge card of order-pipeline "
        "(37 instances)"
    )


@pytest.mark.parametrize(
    "other",
    [
        failing("Late", after=TOGETHER + timedelta(seconds=1)),
        failing("Elsewhere", Place(1, "order-pipeline", "ship", "/orders/")),
        failing("Elsewhere", Place(9, "order-pipeline", "charge card", "/others/")),
        failing("Known", state=GroupState.GROWING),
        failing("Back", state=GroupState.REGRESSED),
        failing("Unread", may_be_older=True),
    ],
)
def test_what_began_later_or_elsewhere_or_was_known_is_another_cause(other: Failing) -> None:
    assert len(errors(failing(), other)) == 2


def test_minutes_count_from_the_first_so_that_nothing_is_chained() -> None:
    apart = TOGETHER * 0.9

    assert errors(failing("a"), failing("b", after=apart), failing("c", after=2 * apart)) == [
        ["a", "b"],
        ["c"],
    ]


def test_failures_outside_of_any_step_are_never_joined() -> None:
    nowhere = Place(1, "order-pipeline", "", "/orders/")

    assert len(errors(failing("a", nowhere), failing("b", nowhere))) == 2


def test_the_cause_with_the_most_failures_stands_first() -> None:
    assert errors(failing("few", count=2), failing("many", CLOSE, count=3)) == [["many"], ["few"]]


def test_the_headline_names_causes_stuck_steps_and_versions_in_this_order() -> None:
    hanging = Hanging(Place(3, "onboarding", "create workspace", "/"), "/", 14, 9, AT)
    version = Appeared("order-pipeline", "v2", "/", NOW.replace(minute=10), ("p95 worse",))
    found = causes([failing(count=37), failing("LedgerLockedError", CLOSE, count=1)])

    assert headline(Told(found, stuck=[hanging], versions=[version]), AT, NOW) == (
        "2 new causes since 03:12 UTC: PaymentProviderError in charge card of order-pipeline "
        "(37 instances), LedgerLockedError in close case of refund-saga (1 instance); "
        "14 stuck in create workspace of onboarding; a new version of order-pipeline since "
        "03:10 UTC, which does worse than the one before."
    )


def test_nothing_new_is_said_and_so_is_what_goes_on() -> None:
    assert headline(Told(), AT, NOW) == "Nothing new fails since 03:12 UTC."
    old = causes([failing()])
    assert headline(Told(going_on=old), AT, NOW) == (
        "Nothing new fails since 03:12 UTC; 1 cause from before, still failing: "
        "PaymentProviderError in charge card of order-pipeline (10 instances)."
    )
    assert headline(Told(grown=old), AT, NOW).startswith(
        "1 known cause far more often since 03:12 UTC: PaymentProviderError"
    )


def test_what_may_be_older_is_not_called_new() -> None:
    found = causes([failing(may_be_older=True)])

    assert headline(Told(found), AT, NOW).startswith(
        "1 cause first seen since 03:12 UTC, maybe older: PaymentProviderError"
    )


def test_a_headline_stays_short_and_tells_the_day_where_it_is_not_today() -> None:
    found = causes(failing(f"e{n}", Place(n, f"w{n}", "s", "/"), count=9 - n) for n in range(8))

    told = headline(Told(found), AT - timedelta(days=1), NOW)

    assert told.startswith("8 new causes since 20 Nov 03:12 UTC: e0 in s of w0 (9 instances), ")
    assert told.endswith("e4 in s of w4 (5 instances), and 3 more.")
