"""Single sign-on by OpenID Connect, with a provider over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import pytest
import requests
from django.test import Client
from pytest_django import Settings

from dashboard.models import AccessChange, User, access_of

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def configured(provider: str, settings: Settings) -> str:
    use(settings, provider)
    return provider


def use(settings: Settings, issuer: str) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = issuer, "Example"
    told = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    app = {
        "provider_id": "sso", "name": "Example", "client_id": "dashboard", "secret": "hush",
        "settings": {"server_url": issuer},
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": told | {"APPS": [app]}}


def knows(provider: str, subject: str, **claims: Any) -> None:
    """The provider has somebody, of whom it tells this."""
    requests.put(f"{provider}/users/{subject}", json=claims, timeout=5).raise_for_status()


def sign_in(
    browser: Client, subject: str = "s-1", start: str = "/sign-in/sso/", **form: str
) -> Any:
    """Goes to the provider, says yes there, and comes back."""
    asked = browser.get(start)["Location"]
    said = requests.post(
        asked, data={"sub": subject} | form, allow_redirects=False, timeout=5
    ).headers["Location"]
    parts = urlsplit(said)
    return browser.get(f"{parts.path}?{parts.query}")


def test_the_sign_in_page_offers_it_by_name_and_takes_the_address_along(
    configured: str, client: Client
) -> None:
    page = client.get("/sign-in/?next=/groups/%3Fstate%3Dnew").content.decode()

    assert 'href="/sign-in/sso/?next=%2Fgroups%2F%3Fstate%3Dnew"' in page
    assert "Sign in by Example" in page


def test_without_an_issuer_there_is_none(client: Client) -> None:
    assert "/sign-in/sso/" not in client.get("/sign-in/").content.decode()
    assert client.get("/sign-in/sso/").status_code == 404
    assert client.get("/sign-in/sso/done/").status_code == 404


def test_somebody_new_is_signed_in_and_sees_nothing(configured: str, client: Client) -> None:
    knows(configured, "s-1", preferred_username="ana")

    answer = sign_in(client)

    user = User.objects.get()
    assert answer["Location"] == "/"
    assert (user.username, user.role, user.has_usable_password()) == ("ana", "none", False)
    page = client.get("/")
    assert page.status_code == 403
    assert "You have no role yet" in page.content.decode()


def test_they_come_back_as_the_same_user(configured: str, client: Client) -> None:
    knows(configured, "s-1", preferred_username="ana")
    sign_in(client)
    knows(configured, "s-1", preferred_username="renamed")

    sign_in(Client())

    assert User.objects.get().username == "ana"


def test_their_groups_are_kept_and_give_them_roles(
    configured: str, client: Client, settings: Settings
) -> None:
    settings.GROUP_ROLES = {"operator": frozenset({"on-call"})}
    knows(configured, "s-1", preferred_username="ana", groups=["staff", "on-call"])

    sign_in(client)

    user = User.objects.get()
    assert user.told_groups == ["on-call", "staff"]
    assert access_of(user).own == "operator"
    assert client.get("/").status_code == 200
    assert (
        AccessChange.objects.get().words == "Signed in by Example, in the groups: on-call, staff."
    )


def test_a_group_that_was_left_gives_nothing_from_the_next_sign_in_on(
    configured: str, client: Client, settings: Settings
) -> None:
    settings.GROUP_ROLES = {"admin": frozenset({"on-call"})}
    knows(configured, "s-1", preferred_username="ana", groups=["on-call"])
    sign_in(client)
    assert access_of(User.objects.get()).is_admin

    knows(configured, "s-1", preferred_username="ana", groups=[])
    sign_in(Client())

    assert User.objects.get().told_groups == []
    assert client.get("/").status_code == 403


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("on-call", ["on-call"]),
        (None, []),
        (7, []),
        ({"a": 1}, []),
        (["b", 7, None, "", "a\x00", "a" * 300], ["a" * 200, "a\N{REPLACEMENT CHARACTER}", "b"]),
        ([f"g{number}" for number in range(600)], None),
    ],
)
def test_whatever_the_claim_holds_is_read_as_groups_or_not_at_all(
    configured: str, client: Client, told: object, kept: list[str] | None
) -> None:
    knows(configured, "s-1", preferred_username="ana", groups=told)

    sign_in(client)

    groups = User.objects.get().told_groups
    assert len(groups) == 500 if kept is None else groups == kept


def test_another_claim_can_hold_them(configured: str, client: Client, settings: Settings) -> None:
    settings.OIDC_GROUPS_CLAIM = "https://example.com/roles"
    knows(configured, "s-1", preferred_username="ana", **{"https://example.com/roles": ["on-call"]})

    sign_in(client)

    assert User.objects.get().told_groups == ["on-call"]


def test_a_name_that_somebody_has_here_is_not_theirs(configured: str, client: Client) -> None:
    local = User.objects.create_user("ana", password="a long secret", role="admin")
    knows(configured, "s-1", preferred_username="ana")

    sign_in(client)

    other = User.objects.exclude(pk=local.pk).get()
    assert other.username != "ana"
    assert other.role == "none"


def test_nor_is_the_mail_address_of_somebody_else(configured: str, client: Client) -> None:
    local = User.objects.create_user("ana", email="ana@example.com", role="admin")
    knows(configured, "s-1", preferred_username="eve", email="ana@example.com", email_verified=True)

    sign_in(client)

    assert User.objects.exclude(pk=local.pk).get().role == "none"


@pytest.mark.parametrize(
    ("asked", "leads_to"), [("/groups/", "/groups/"), ("https://evil.example/", "/")]
)
def test_it_leads_back_to_the_page_that_was_asked_for_and_nowhere_else(
    configured: str, client: Client, asked: str, leads_to: str
) -> None:
    assert sign_in(client, start=f"/sign-in/sso/?next={asked}")["Location"] == leads_to


def test_it_asks_with_a_challenge_and_a_state_of_its_own(configured: str, client: Client) -> None:
    asked = parse_qs(urlsplit(client.get("/sign-in/sso/")["Location"]).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://testserver/sign-in/sso/done/"]
    assert len(asked["state"][0]) >= 16


def test_an_answer_that_nobody_asked_for_is_refused(configured: str, client: Client) -> None:
    asked = Client().get("/sign-in/sso/")["Location"]
    said = requests.post(asked, data={"sub": "s-1"}, allow_redirects=False, timeout=5)
    parts = urlsplit(said.headers["Location"])

    answer = client.get(f"{parts.path}?{parts.query}")

    assert answer.status_code == 401
    assert "You are not signed in" in answer.content.decode()
    assert not User.objects.exists()


def test_who_says_no_there_is_told_so(configured: str, client: Client) -> None:
    answer = sign_in(client, action="deny")

    assert answer.status_code == 401
    assert "You are not signed in" in answer.content.decode()


def test_a_provider_that_does_not_answer_is_told_with_a_way_on(
    client: Client, settings: Settings
) -> None:
    use(settings, "http://127.0.0.1:9")

    answer = client.get("/sign-in/sso/")

    assert answer.status_code == 504
    assert "The identity provider does not answer" in answer.content.decode()


def test_a_provider_that_answers_something_else_is_told_in_the_same_way(
    configured: str, client: Client, settings: Settings
) -> None:
    use(settings, f"{configured}/.well-known/jwks")

    assert client.get("/sign-in/sso/").status_code == 504


def test_somebody_switched_off_here_is_not_let_in_by_the_provider(
    configured: str, client: Client
) -> None:
    knows(configured, "s-1", preferred_username="ana")
    sign_in(client)
    User.objects.update(is_active=False)

    answer = sign_in(Client())

    assert answer["Location"] == "/sign-in/switched-off/"


def test_who_comes_by_the_provider_needs_no_second_factor_here(
    configured: str, client: Client, settings: Settings
) -> None:
    settings.SECOND_FACTOR_FOR = "everybody"
    settings.GROUP_ROLES = {"viewer": frozenset({"staff"})}
    knows(configured, "s-1", preferred_username="ana", groups=["staff"])
    sign_in(client)

    assert client.get("/").status_code == 200


def test_they_get_no_password_here(configured: str, client: Client) -> None:
    sign_in(client)

    answer = client.get("/account/password/", follow=True)

    assert answer.status_code == 403
    assert "no password here" in answer.content.decode()
