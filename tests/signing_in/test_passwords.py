"""Signing in by a name and a password: what is said, how often one may try, where it leads."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.models import User
from dashboard.models.shared_cache import SharedCache
from tests.signing_in.conftest import PASSWORD


def test_who_is_signed_in_goes_on_to_the_page_that_was_asked_for(ana: User, sign_in: Any) -> None:
    assert sign_in(next="/groups/?since=7d")["Location"] == "/groups/?since=7d"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"],
)
def test_no_link_leads_through_here_to_another_site(
    ana: User, client: Client, sign_in: Any, elsewhere: str
) -> None:
    page = client.get("/sign-in/", {"next": elsewhere}).content.decode()

    assert 'name="next"' not in page
    assert sign_in(next=elsewhere)["Location"] == "/"
    assert client.get("/sign-in/", {"next": elsewhere})["Location"] == "/"


def test_nobody_learns_whether_a_name_exists(ana: User, sign_in: Any) -> None:
    known, unknown = sign_in(password="wrong"), sign_in("nobody", "wrong")

    assert known.status_code == unknown.status_code == 422
    for answer in (known, unknown):
        assert "do not belong together" in answer.content.decode()


def test_after_five_attempts_that_failed_the_right_password_does_not_help_either(
    ana: User, sign_in: Any
) -> None:
    statuses = [sign_in(password=f"wrong {number}").status_code for number in range(5)]

    answer = sign_in()

    assert statuses == [422] * 5
    assert answer.status_code == 429
    assert "Wait five minutes" in answer.content.decode()


def test_five_minutes_later_it_does(ana: User, sign_in: Any) -> None:
    with time_machine.travel(0, tick=False) as clock:
        for number in range(6):
            sign_in(password=f"wrong {number}")
        clock.shift(301)

        assert sign_in().status_code == 302


def test_all_processes_count_attempts_together(ana: User, sign_in: Any) -> None:
    sign_in(password="wrong")

    assert SharedCache.objects.filter(cache_key__contains="login_failed").exists()


def test_many_names_from_one_address_are_throttled_too(db: None, sign_in: Any) -> None:
    statuses = [sign_in(f"name-{number}", "wrong").status_code for number in range(11)]

    assert statuses == [422] * 10 + [429]


def test_who_signs_in_is_not_counted_as_an_attempt_that_failed(ana: User, sign_in: Any) -> None:
    assert [Client().post("/sign-in/", {"login": "ana", "password": PASSWORD}).status_code] * 7 == [
        302
    ] * 7


def test_somebody_switched_off_is_told_so_once_the_password_is_right(
    ana: User, client: Client, sign_in: Any
) -> None:
    User.objects.update(is_active=False)

    answer = client.get(sign_in()["Location"])

    assert answer.status_code == 403
    assert "is switched off" in answer.content.decode()
    assert client.get("/").status_code == 302
    assert "do not belong together" in sign_in(password="wrong").content.decode()


def test_somebody_who_is_switched_off_meanwhile_is_signed_out(
    ana: User, client: Client, sign_in: Any
) -> None:
    sign_in()
    assert client.get("/").status_code == 200

    User.objects.update(is_active=False)

    assert client.get("/")["Location"].startswith("/sign-in/")


def test_a_session_is_another_one_after_signing_in(ana: User, client: Client, sign_in: Any) -> None:
    client.get("/sign-in/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before

    sign_in()

    assert client.session.session_key != before


def test_a_password_is_changed_with_the_old_one(ana: User, client: Client, sign_in: Any) -> None:
    sign_in()
    new = {"password1": "another long secret", "password2": "another long secret"}

    refused = client.post("/account/password/", new | {"oldpassword": "wrong"})
    changed = client.post("/account/password/", new | {"oldpassword": PASSWORD}, follow=True)

    assert refused.status_code == 422
    assert "Your password is changed" in changed.content.decode()
    assert (
        Client().post("/sign-in/", {"login": "ana", "password": "another long secret"}).status_code
        == 302
    )


def test_a_new_password_ends_the_other_sessions(ana: User, client: Client, sign_in: Any) -> None:
    sign_in()
    elsewhere = Client()
    elsewhere.post("/sign-in/", {"login": "ana", "password": PASSWORD})
    new = {"password1": "another long secret", "password2": "another long secret"}

    client.post("/account/password/", new | {"oldpassword": PASSWORD})

    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_nobody_signs_up_by_themselves(db: None, client: Client) -> None:
    assert client.get("/accounts/signup/").status_code == 404
    assert client.get("/sign-in/").content.decode().count("<form") == 1
