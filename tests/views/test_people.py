"""The pages where admins say who may do what."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard.models import AccessChange, Grant, User, access_of
from tests.rows import account, workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_user("boss", password="a long secret", role="admin")


@pytest.fixture
def admin(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana", password="another long secret")


def said(about: str) -> list[str]:
    return [*AccessChange.objects.filter(about=about).values_list("words", flat=True)]


def password_on(answer: Any) -> str:
    found = re.search(r'<code class="id">([^<]+)</code>', answer.content.decode())
    assert found
    return found[1]


def test_somebody_is_added_with_a_password_that_is_shown_once(admin: Client) -> None:
    answer = admin.post("/people/", {"username": "ana", "role": "operator"})

    password = password_on(answer)
    assert "no-store" in answer["Cache-Control"]
    assert password not in admin.get("/people/").content.decode()
    assert Client().login(username="ana", password=password)
    assert User.objects.get(username="ana").role == "operator"
    assert said("ana") == ["Added, with the role operator."]


@pytest.mark.parametrize("name", ["ana", "ANA", "a b", "<b>", "", "a\x00b", "x" * 151])
def test_a_name_that_cannot_be_is_told_and_kept(admin: Client, ana: User, name: str) -> None:
    answer = admin.post("/people/", {"username": name, "role": "viewer"})

    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert User.objects.count() == 2


def test_a_role_is_changed_and_written_down(admin: Client, ana: User) -> None:
    admin.post(f"/people/{ana.pk}/", {"role": "none", "is_active": "1"})

    assert User.objects.get(pk=ana.pk).role == "none"
    assert said("ana") == ["Role none instead of viewer."]
    assert AccessChange.objects.get().changed_by.username == "boss"


def test_who_is_switched_off_is_out_at_once(admin: Client, ana: User) -> None:
    browser = Client()
    browser.force_login(ana)
    assert browser.get("/views/").status_code == 200

    admin.post(f"/people/{ana.pk}/", {"role": "viewer"})

    assert browser.get("/views/").status_code == 302
    assert said("ana") == ["Switched off."]


@pytest.mark.parametrize("change", [{"role": "operator", "is_active": "1"}, {"role": "admin"}])
def test_the_last_admin_stays_one(admin: Client, boss: User, change: dict[str, str]) -> None:
    answer = admin.post(f"/people/{boss.pk}/", change)

    assert answer.status_code == 422
    assert "Nobody else is an admin" in answer.content.decode()
    assert access_of(User.objects.get(pk=boss.pk)).is_admin


def test_one_of_two_admins_can_go(admin: Client, boss: User) -> None:
    User.objects.create(username="other", role="admin")

    assert admin.post(f"/people/{boss.pk}/", {"role": "viewer"}).status_code == 302


def test_a_new_password_replaces_the_old_one_and_ends_sessions(admin: Client, ana: User) -> None:
    browser = Client()
    browser.force_login(ana)

    password = password_on(admin.post(f"/people/{ana.pk}/password/"))

    assert browser.get("/views/").status_code == 302
    assert not Client().login(username="ana", password="another long secret")
    assert Client().login(username="ana", password=password)


def test_who_comes_by_the_provider_gets_no_password(admin: Client) -> None:
    eve = User.objects.create_user("eve")

    assert admin.post(f"/people/{eve.pk}/password/").status_code == 403
    assert not User.objects.get(pk=eve.pk).has_usable_password()


def test_somebody_is_signed_out_everywhere_and_can_sign_in_again(admin: Client, ana: User) -> None:
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(ana)

    admin.post(f"/people/{ana.pk}/sign-out/")

    assert [browser.get("/views/").status_code for browser in browsers] == [302, 302]
    browsers[0].force_login(ana)
    assert browsers[0].get("/views/").status_code == 200
    assert admin.get("/views/").status_code == 200


def test_a_grant_holds_from_the_next_page_on_and_until_it_is_taken_away(
    admin: Client, ana: User
) -> None:
    workflow("orders")
    User.objects.filter(pk=ana.pk).update(role="none")
    browser = Client()
    browser.force_login(ana)
    assert browser.get("/accounts/acc1/workflows/orders/").status_code == 403

    told = {"user": ana.pk, "role": "viewer", "account_id": "acc1", "pattern": "ord*"}
    admin.post("/people/grants/", told)
    assert browser.get("/accounts/acc1/workflows/orders/").status_code == 200

    admin.post(f"/people/grants/{Grant.objects.get().pk}/remove/")
    assert browser.get("/accounts/acc1/workflows/orders/").status_code == 403
    assert said("ana") == [
        "Taken away: viewer for ord* of account acc1.",
        "Granted: viewer for ord* of account acc1.",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"group_name": "on-call", "user": "ana"},
        {"group_name": "on-call", "role": "admin"},
        {"group_name": "on-call", "pattern": ""},
        {"group_name": "on-call", "account_id": "unknown"},
        {"group_name": "on-call", "pattern": "x" * 201},
    ],
)
def test_a_grant_that_makes_no_sense_is_told_and_not_given(
    admin: Client, ana: User, wrong: dict[str, str]
) -> None:
    account("acc1")
    told = {"role": "viewer", "pattern": "*"} | wrong
    if "user" in told:
        told["user"] = str(ana.pk)

    answer = admin.post("/people/grants/", told)

    assert answer.status_code == 422
    assert 'class="errors"' in answer.content.decode()
    assert not Grant.objects.exists()


def test_what_people_are_called_is_text(admin: Client) -> None:
    User.objects.create(username="<script>x</script>", told_groups=["<img src=x>"])
    Grant.objects.create(
        group_name="<b>g</b>", role="viewer", pattern="<i>*</i>", granted_at="2026-11-20T03:00Z"
    )

    html = admin.get("/people/").content.decode()

    assert not re.search("<script>x|<img src=x|<b>g|<i>", html)


def test_a_shell_grants_and_takes_away(ana: User) -> None:
    call_command("grant", "ana", "operator", "--workflows", "orders-*")
    call_command("grant", "on-call", "viewer", "--group")

    assert {str(one) for one in Grant.objects.all()} == {"operator for orders-*", "viewer for *"}
    call_command("grant", "ana", "operator", "--workflows", "orders-*", "--take")
    assert Grant.objects.get().group_name == "on-call"
    assert len(said("ana")) == 2


def test_a_shell_is_told_what_cannot_be(ana: User) -> None:
    with pytest.raises(CommandError, match="There is no user eve"):
        call_command("grant", "eve", "viewer")
    with pytest.raises(CommandError, match="was not granted this"):
        call_command("grant", "ana", "viewer", "--take")
