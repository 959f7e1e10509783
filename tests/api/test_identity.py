"""A token opens what its user and its scope allow, for as long as it may, and nothing else does."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dashboard.api.application import api
from dashboard.logs import redact
from dashboard.models import ApiToken, User
from dashboard.models.api_token import CALLS_PER_MINUTE
from tests.api.conftest import Script, make_token
from tests.fixtures import START

ME = "/me"


def test_a_token_asks_in_the_name_of_its_user(db: None, operator: User) -> None:
    _, secret = make_token(operator)

    told = Script(secret).get(ME)

    assert told.status_code == 200
    assert told.json()["user"] == "olga"
    assert told.json()["token"] == "deploy-bot"
    assert told.json()["can_operate"] is True


def test_the_secret_is_kept_nowhere(db: None, operator: User) -> None:
    token, secret = make_token(operator)

    kept = ApiToken.objects.filter(pk=token.pk).values().get()

    assert secret not in str(kept)
    assert len(secret) > 40


def test_the_secret_reaches_no_log(db: None, operator: User) -> None:
    _, secret = make_token(operator)

    assert redact(f"GET /?key={secret} failed") == "GET /?key=wfd_*** failed"


def test_a_token_of_the_scope_read_does_nothing_that_its_user_might(
    db: None, operator: User
) -> None:
    _, secret = make_token(operator, "read")

    assert Script(secret).get(ME).json()["can_operate"] is False


def test_a_token_of_the_scope_operate_does_nothing_that_its_user_may_not(
    db: None, viewer: User
) -> None:
    _, secret = make_token(viewer, "operate")

    assert Script(secret).get(ME).json()["can_operate"] is False


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer wfd_x", "Bearer \xff"]
)
def test_what_is_no_token_opens_nothing(db: None, header: str) -> None:
    answer = Client(headers={"Authorization": header}).get("/api/v1/me")

    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "/tokens/" in answer.json()["detail"]


def test_nobody_is_told_anything_without_a_token(db: None) -> None:
    asked = 0
    for path, methods in api.get_openapi_schema()["paths"].items():
        address = re.sub(r"{pk}", "1" if "operations" not in path else str(uuid.uuid4()), path)
        for method in methods:
            answer = Client().generic(method.upper(), re.sub(r"{\w+}", "x", address))
            assert answer.status_code == 401, (method, path)
            asked += 1
    assert asked > 20


def test_a_token_that_has_expired_says_when(db: None, operator: User) -> None:
    _, secret = make_token(operator, expires_at=START)

    with time_machine.travel(START, tick=False):
        answer = Script(secret).get(ME)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "The token deploy-bot expired on 2026-11-21."


def test_a_token_that_was_revoked_opens_nothing(db: None, operator: User) -> None:
    token, secret = make_token(operator)
    token.revoke(operator, timezone.now())

    answer = Script(secret).get(ME)

    assert answer.status_code == 401
    assert "was revoked" in answer.json()["detail"]


def test_the_tokens_of_somebody_switched_off_are_dead(db: None, operator: User) -> None:
    _, secret = make_token(operator)
    User.objects.update(is_active=False)

    answer = Script(secret).get(ME)

    assert answer.status_code == 401
    assert "switched off" in answer.json()["detail"]


def test_a_session_reads_but_stands_in_for_no_token(client: Client, operator: User) -> None:
    client.force_login(operator)

    assert client.get("/api/v1/me").json()["token"] == ""
    refused = client.get("/api/v1/me", headers={"Authorization": "Bearer wfd_nothing"})
    assert refused.status_code == 401


def test_that_it_was_used_is_written_down_once_a_minute(db: None, operator: User) -> None:
    token, secret = make_token(operator, created_at=START, expires_at=START + timedelta(days=1))
    script = Script(secret)

    used = []
    for seconds in (0, 30, 61):
        with time_machine.travel(START + timedelta(seconds=seconds), tick=False):
            script.get(ME)
        token.refresh_from_db()
        used.append(token.last_used_at)

    assert used == [START, START, START + timedelta(seconds=61)]


def test_a_token_asks_cloudflare_so_often_in_a_minute_and_no_more(
    script: Script, operator: User
) -> None:
    path = "/accounts/nobody/workflows/none/instances/x"
    assert script.get(path).status_code == 404
    ApiToken.objects.update(calls=CALLS_PER_MINUTE)

    refused = script.get(path)

    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60
    assert "too often" in refused.json()["detail"]
    assert script.get(ME).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        assert script.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/nothing", "/instances/", "/accounts/%00/x", ""])
def test_an_address_that_leads_nowhere_is_told_in_the_same_form(db: None, path: str) -> None:
    answer = Client().get(f"/api/v1/{path}".replace("//", "/"))

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_another_method_says_which_it_takes(script: Script) -> None:
    answer = script.post(ME, {})

    assert answer.status_code == 405
    assert answer["Allow"] == "GET"
    assert answer.json()["detail"] == "This is asked by GET, not by POST."


def test_a_host_that_is_not_ours_is_told_in_the_same_form(db: None) -> None:
    answer = Client(headers={"Host": "elsewhere.example"}).get("/api/v1/me")

    assert answer.status_code == 400
    assert answer.json()["status"] == 400
