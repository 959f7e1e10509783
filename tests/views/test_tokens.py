"""The page of API tokens: one's own are made and revoked there, and an admin sees everybody's."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.models import ApiToken, User
from tests.api.conftest import make_token
from tests.rows import HOSTILE

PAGE = "/tokens/"
WANTED = {"name": "deploy-bot", "scope": "read", "days": "90"}


def secret_on(page: str) -> str:
    found = re.search(r'class="secret">([^<]+)<', page)
    return html.unescape(found[1]) if found else ""


def test_a_token_is_made_and_its_secret_shown_this_once(reader: Client) -> None:
    answer = reader.post(PAGE, WANTED)
    secret = secret_on(answer.content.decode())

    assert answer.status_code == 201
    assert answer["Cache-Control"] == "private, no-store"
    assert ApiToken.objects.of_secret(secret) == ApiToken.objects.get()
    assert ApiToken.objects.get().expires_at - timezone.now() > timedelta(days=89)
    again = reader.get(PAGE).content.decode()
    assert "deploy-bot" in again
    assert secret not in again


def test_who_may_only_look_makes_no_token_that_acts(reader: Client) -> None:
    answer = reader.post(PAGE, WANTED | {"scope": "operate"})

    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_who_may_act_chooses_whether_a_token_does(actor: Client) -> None:
    actor.post(PAGE, WANTED | {"scope": "operate"})

    assert ApiToken.objects.get().may_operate


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "required"),
        ({"name": "x" * 81}, "80"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"name": "a\u202eb"}, "nobody can see"),
        ({"days": "366"}, "366"),
        ({"days": ""}, "required"),
        ({"scope": "admin"}, "admin"),
    ],
)
def test_what_does_not_fit_comes_back_with_a_sentence(
    reader: Client, wrong: dict[str, str], words: str
) -> None:
    answer = reader.post(PAGE, WANTED | wrong)

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_name_is_used_once_since_it_stands_beside_what_was_done(reader: Client) -> None:
    reader.post(PAGE, WANTED)

    answer = reader.post(PAGE, WANTED)

    assert answer.status_code == 422
    assert "Choose another" in answer.content.decode()


def test_a_revoked_token_stays_in_the_list_with_who_did_it(reader: Client, viewer: User) -> None:
    token, _ = make_token(viewer)

    page = reader.post(f"{PAGE}{token.pk}/revoke/", follow=True).content.decode()

    assert "opens nothing any more" in page
    assert re.search(r"revoked .* by victor", page)


def test_nobody_sees_or_revokes_the_token_of_somebody_else(reader: Client, operator: User) -> None:
    token, _ = make_token(operator, name="olgas-own")

    assert "olgas-own" not in reader.get(PAGE).content.decode()
    assert reader.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_an_admin_sees_and_revokes_all(client: Client, operator: User) -> None:
    token, _ = make_token(operator)
    client.force_login(User.objects.create(username="ada", role="admin"))

    page = client.get(PAGE).content.decode()
    client.post(f"{PAGE}{token.pk}/revoke/")

    assert "olga" in page
    token.refresh_from_db()
    assert str(token.revoked_by) == "ada"


def test_markup_in_a_name_stays_text(reader: Client) -> None:
    page = reader.post(PAGE, WANTED | {"name": HOSTILE}).content.decode()

    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page.replace("&#39;", "&#x27;")


def test_the_page_of_the_api_lists_every_endpoint_and_shape(reader: Client) -> None:
    page = reader.get("/api/").content.decode()

    assert "/api/v1/operations/bulk" in page
    assert "OneInstance" in page
    assert "any JSON" in page
