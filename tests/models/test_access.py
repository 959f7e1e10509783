"""What somebody may see and do, worked out from their role, their groups and what was granted."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.models import Access, Grant, User, Workflow, access_of
from tests.rows import THEN, account, workflow

pytestmark = pytest.mark.django_db


def user(role: str = "none", **facts: object) -> User:
    return User.objects.create(username=f"u{User.objects.count()}", role=role, **facts)


def grant(to: User | str, role: str = "viewer", pattern: str = "*", account_id: str = "") -> Grant:
    holder = {"user": to} if isinstance(to, User) else {"group_name": to}
    return Grant.objects.create(
        role=role, pattern=pattern, account_id=account_id, granted_at=THEN, **holder
    )


def told(one: User) -> Access:
    """As a new request reads it."""
    return access_of(User.objects.get(pk=one.pk))


def seen(one: User) -> set[str] | None:
    keys = told(one).workflows
    return (
        None
        if keys is None
        else {*Workflow.objects.filter(pk__in=keys).values_list("name", flat=True)}
    )


def test_somebody_without_a_role_sees_nothing() -> None:
    workflow("orders")

    assert (told(user()).sees_nothing, seen(user())) == (True, set())


def test_a_grant_shows_what_fits_its_pattern_and_no_more() -> None:
    for name in ("orders-eu", "orders-us", "reorders-eu", "payments"):
        workflow(name)
    ana = user()
    grant(ana, "viewer", "orders-*")

    assert seen(ana) == {"orders-eu", "orders-us"}
    assert not told(ana).operates


def test_a_pattern_minds_capital_letters() -> None:
    workflow("Orders")
    ana = user()
    grant(ana, "viewer", "orders")

    assert seen(ana) == set()


def test_a_grant_for_one_account_is_none_for_another() -> None:
    mine = workflow("orders", of=account("acc1"))
    other = workflow("orders", of=account("acc2"))
    ana = user()
    grant(ana, "operator", "orders", account_id="acc1")

    assert told(ana).workflows == {mine.pk}
    assert told(ana).accounts == {"acc1"}
    assert told(ana).can_operate(mine)
    assert not told(ana).can_operate(other)
    assert not told(ana).sees_account("acc2")


def test_a_workflow_that_is_made_later_fits_as_well() -> None:
    ana = user()
    grant(ana, "viewer", "orders-*")
    assert seen(ana) == set()

    workflow("orders-new")

    assert seen(ana) == {"orders-new"}


def test_of_several_grants_the_highest_role_counts() -> None:
    orders = workflow("orders")
    ana = user()
    grant(ana, "viewer", "*")
    grant(ana, "operator", "ord*")

    assert told(ana).role_for(orders) == "operator"
    assert told(ana).role_of("acc1", "payments") == "viewer"
    assert told(ana).sees_all


def test_a_grant_adds_to_the_role_of_ones_own() -> None:
    orders, payments = workflow("orders"), workflow("payments")
    ana = user("viewer")
    grant(ana, "operator", "orders")

    assert seen(ana) is None
    assert told(ana).can_operate(orders)
    assert not told(ana).can_operate(payments)


def test_what_a_group_is_granted_its_members_have_and_nobody_else() -> None:
    workflow("orders")
    grant("on-call", "operator", "orders")

    assert seen(user(told_groups=["staff", "on-call"])) == {"orders"}
    assert seen(user(told_groups=["on-calls"])) == set()
    assert seen(user()) == set()


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_groups_of_the_settings_have_a_role_everywhere(settings: Settings, role: str) -> None:
    settings.GROUP_ROLES = {role: frozenset({"engineers"})}

    assert told(user(told_groups=["engineers"])).own == role
    assert told(user(told_groups=["others"])).own == "none"


def test_the_settings_take_no_role_away(settings: Settings) -> None:
    settings.GROUP_ROLES = {"viewer": frozenset({"engineers"})}

    assert told(user("admin", told_groups=["engineers"])).is_admin


def test_somebody_switched_off_may_do_nothing() -> None:
    ana = user("admin", is_active=False)
    grant(ana, "operator")

    assert (told(ana).own, told(ana).sees_all, told(ana).operates) == ("none", False, False)


def test_no_grant_makes_an_admin() -> None:
    ana = user("operator")
    grant(ana, "operator")

    assert not told(ana).is_admin


@pytest.mark.parametrize("holder", [{}, {"group_name": "g", "user": True}])
def test_a_grant_is_to_a_user_or_to_a_group(holder: dict[str, object]) -> None:
    if "user" in holder:
        holder["user"] = user()
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(role="viewer", granted_at=THEN, **holder)


@pytest.mark.parametrize(
    ("role", "queries"), [("none", 1), ("viewer", 1), ("operator", 0), ("admin", 0)]
)
def test_all_of_it_is_one_query_at_most(
    role: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    orders = workflow("orders")
    orders = Workflow.objects.select_related("account").get(pk=orders.pk)
    ana = User.objects.get(pk=user(role).pk)
    grant(ana, "viewer", "orders")

    with django_assert_num_queries(queries):
        mine = access_of(ana)
        assert mine.sees(orders)
        assert mine.workflows in ({orders.pk}, None)
        assert mine.can_operate(orders) is (role in {"operator", "admin"})
        assert mine.key


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_who_sees_all_by_their_role_pays_nothing_to_look(
    role: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ana = User.objects.get(pk=user(role).pk)

    with django_assert_num_queries(0):
        assert access_of(ana).sees_all
        assert access_of(ana).workflows is None


def test_people_share_a_page_only_if_they_may_see_and_do_the_same() -> None:
    ana, ben, eve = user(), user(), user()
    grant(ana, "viewer", "orders")
    grant(ben, "viewer", "orders")
    grant(eve, "viewer", "payments")
    keys = [told(one).key for one in (ana, ben, eve, user(), user("viewer"), user("operator"))]

    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
