"""The second factor: an authenticator app, and codes for the day on which it is not there."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client
from pytest_django import Settings

from dashboard.models import Grant, User
from tests.rows import THEN
from tests.signing_in.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)


def code_of(secret: str) -> str:
    """What the app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def add_app(browser: Client) -> str:
    """Adds an app, as its page asks for it; returns its secret."""
    again = browser.get("/account/app/")["Location"]
    answer = browser.post(again, {"password": PASSWORD, "next": "/account/app/"})
    assert answer["Location"] == "/account/app/"
    page = browser.get("/account/app/").content.decode()
    found = re.search(r'Secret: <code class="id">([A-Z2-7=]+)</code>', page)
    assert found
    assert 'src="data:image/svg+xml;base64,' in page
    added = browser.post("/account/app/", {"code": code_of(found[1])})
    assert added["Location"] == "/account/codes/"
    return found[1]


def codes(browser: Client) -> list[str]:
    page = browser.get("/account/codes/").content.decode()
    return re.findall(r'<li><code class="id">([0-9a-z-]+)</code></li>', page)


@pytest.fixture
def secret(ana: User, client: Client, sign_in: Any) -> str:
    sign_in()
    return add_app(client)


@pytest.fixture
def anew() -> Client:
    """Another browser, in which ana's password was just accepted."""
    browser = Client()
    answer = browser.post("/sign-in/", {"login": "ana", "password": PASSWORD, "next": "/groups/"})
    assert answer["Location"].startswith("/sign-in/code/")
    return browser


def test_the_password_alone_lets_nobody_in(secret: str, anew: Client) -> None:
    assert anew.get("/")["Location"].startswith("/sign-in/")
    assert anew.get("/sign-in/code/").status_code == 200


def test_a_code_of_the_app_does_and_leads_on(secret: str, anew: Client) -> None:
    with time_machine.travel(time.time() + 30, tick=False):
        answer = anew.post("/sign-in/code/", {"code": code_of(secret)})

    assert answer["Location"] == "/groups/"
    assert anew.get("/").status_code == 200


def test_a_wrong_code_is_told_in_a_sentence(secret: str, anew: Client) -> None:
    answer = anew.post("/sign-in/code/", {"code": "000000"})

    assert answer.status_code == 422
    assert "This code is not right." in answer.content.decode()


def test_a_code_holds_once(secret: str, anew: Client) -> None:
    with time_machine.travel(time.time() + 30, tick=False):
        used = code_of(secret)
        first = anew.post("/sign-in/code/", {"code": used})
        another = Client()
        another.post("/sign-in/", {"login": "ana", "password": PASSWORD})
        second = another.post("/sign-in/code/", {"code": used})

    assert (first.status_code, second.status_code) == (302, 422)


def test_codes_cannot_be_tried_out(secret: str, anew: Client) -> None:
    statuses = [
        anew.post("/sign-in/code/", {"code": f"{number:06}"}).status_code for number in range(12)
    ]

    assert statuses[0] == 422
    assert statuses[-1] == 429


def test_a_recovery_code_lets_in_once(secret: str, client: Client, anew: Client) -> None:
    [code, *_] = codes(client)

    assert anew.post("/sign-in/code/", {"code": code}).status_code == 302
    another = Client()
    another.post("/sign-in/", {"login": "ana", "password": PASSWORD})
    assert another.post("/sign-in/code/", {"code": code}).status_code == 422


def test_new_recovery_codes_end_the_old_ones(secret: str, client: Client) -> None:
    before = codes(client)

    client.post("/account/codes/new/")

    assert len(before) == len(codes(client)) == 10
    assert not {*before} & {*codes(client)}


def test_secrets_are_sealed_in_the_database(secret: str) -> None:
    told = [str(one.data) for one in Authenticator.objects.all()]

    assert len(told) == 2
    assert not any(secret in text for text in told)


def test_without_the_app_the_password_is_enough_again(
    secret: str, client: Client, sign_in: Any
) -> None:
    client.post("/account/app/remove/")

    assert Client().post("/sign-in/", {"login": "ana", "password": PASSWORD})["Location"] == "/"
    assert not Authenticator.objects.exists()


class TestRequired:
    @pytest.mark.parametrize(
        ("whom", "role", "is_required"),
        [
            ("nobody", "admin", False),
            ("admins", "admin", True),
            ("admins", "operator", False),
            ("operators", "admin", True),
            ("operators", "operator", True),
            ("operators", "viewer", False),
            ("everybody", "viewer", True),
        ],
    )
    def test_who_has_to_have_one_is_led_to_it(
        self, ana: User, client: Client, sign_in: Any, settings: Settings,
        whom: str, role: str, is_required: bool,
    ) -> None:  # fmt: skip
        settings.SECOND_FACTOR_FOR = whom
        User.objects.update(role=role)
        sign_in()

        answer = client.get("/groups/")

        assert (answer.status_code, answer.headers.get("Location")) == (
            (302, "/account/") if is_required else (200, None)
        )
        assert ("Your role takes a second factor" in client.get("/account/").content.decode()) is (
            is_required
        )

    def test_an_operator_of_one_workflow_is_an_operator(
        self, ana: User, client: Client, sign_in: Any, settings: Settings
    ) -> None:
        settings.SECOND_FACTOR_FOR = "operators"
        Grant.objects.create(user=ana, role="operator", pattern="orders", granted_at=THEN)
        sign_in()

        assert client.get("/groups/").status_code == 302

    def test_once_it_is_added_everything_is_shown(
        self, ana: User, client: Client, sign_in: Any, settings: Settings
    ) -> None:
        settings.SECOND_FACTOR_FOR = "everybody"
        sign_in()
        assert client.get("/groups/").status_code == 302

        add_app(client)

        assert client.get("/groups/").status_code == 200

    def test_nothing_can_be_done_before(
        self, ana: User, client: Client, sign_in: Any, settings: Settings
    ) -> None:
        settings.SECOND_FACTOR_FOR = "everybody"
        sign_in()

        client.post("/views/new/", {"name": "mine"})

        assert not ana.saved_views.exists()
