"""Acting on many instances, of which only those of some workflows may be acted on."""

from __future__ import annotations

import pytest

from dashboard import operations
from dashboard.models import Grant, Instance, Item, User
from dashboard.models.operation import Kind
from tests.fixtures import Watched
from tests.operations.many import begin, work
from tests.rows import THEN

WHY = "Your role is viewer for payments; acting on instances takes the role operator."


@pytest.fixture
def partly(viewer: User) -> User:
    """Somebody who sees all, and operates `orders` alone."""
    Grant.objects.create(user=viewer, role="operator", pattern="orders", granted_at=THEN)
    return viewer


@pytest.fixture(autouse=True)
def _configured(configured: object) -> None:
    """Nothing can be asked of an account that is not configured."""


@pytest.fixture
def both(watched: Watched) -> Watched:
    watched.add("waiting")
    watched.add("waiting", workflow="payments")
    watched.sync()
    return watched


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def outcome(name: str) -> tuple[str, str]:
    item = Item.objects.get(workflow__name=name)
    return item.state, item.note


def test_the_plan_skips_what_they_may_not_act_on_and_says_why(both: Watched, partly: User) -> None:
    plan = operations.plan(Kind.PAUSE, Instance.objects.all(), fresh(partly))

    assert (plan.acted_on, dict(plan.skipped)) == (1, {WHY: 1})


def test_it_is_sent_to_the_others_alone(both: Watched, partly: User) -> None:
    operation = begin(both, fresh(partly), Kind.PAUSE)

    work(both, operation)

    assert outcome("payments") == ("skipped", f"Nothing was sent. {WHY}")
    assert outcome("orders")[0] != "skipped"
    assert both.sent() == [{"status": "pause"}]


def test_a_role_that_is_taken_away_meanwhile_is_minded_when_it_would_be_sent(
    both: Watched, partly: User
) -> None:
    Grant.objects.create(user=partly, role="operator", pattern="payments", granted_at=THEN)
    operation = begin(both, fresh(partly), Kind.PAUSE)
    Grant.objects.filter(pattern="orders").delete()

    work(both, operation)

    assert outcome("orders") == (
        "skipped",
        "Nothing was sent. victor may not act on instances of orders.",
    )
    assert both.sent() == [{"status": "pause"}]


def test_only_who_may_act_on_all_of_it_steers_it(
    both: Watched, partly: User, operator: User
) -> None:
    operation = begin(both, operator, Kind.PAUSE)

    assert operations.refusal_for_operation(fresh(partly), operation) == WHY
    assert operations.refusal_for_operation(fresh(operator), operation) == ""


def test_who_began_it_steers_it_whatever_of_it_was_skipped(both: Watched, partly: User) -> None:
    operation = begin(both, fresh(partly), Kind.PAUSE)

    assert operations.refusal_for_operation(fresh(partly), operation) == ""
