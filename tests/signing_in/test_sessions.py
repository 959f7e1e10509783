"""Sessions that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.models import User
from tests.rows import THEN
from tests.signing_in.conftest import PASSWORD

POLL = {"HX-Request": "true"}


def is_in(browser: Client) -> bool:
    return browser.get("/views/").status_code == 200


def test_a_session_ends_when_nobody_has_used_it_for_a_day(
    ana: User, client: Client, sign_in: Any
) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        sign_in()
        clock.shift(timedelta(hours=23))
        assert is_in(client)
        clock.shift(timedelta(hours=23))
        assert is_in(client)
        clock.shift(timedelta(hours=25))

        assert not is_in(client)


def test_a_page_that_refreshes_itself_does_not_use_it(
    ana: User, client: Client, sign_in: Any
) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        sign_in()
        for _ in range(24):
            clock.shift(timedelta(hours=1))
            assert client.get("/views/", headers=POLL).status_code == 200
        clock.shift(timedelta(hours=1))

        assert client.get("/views/", headers=POLL).status_code == 302


def test_a_session_ends_after_a_week_however_much_it_is_used(
    ana: User, client: Client, sign_in: Any
) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        sign_in()
        for _ in range(14):
            clock.shift(timedelta(hours=12) - timedelta(seconds=1))
            assert is_in(client)
        clock.shift(timedelta(minutes=1))

        assert not is_in(client)


def test_an_idle_limit_of_nothing_is_none(
    ana: User, client: Client, sign_in: Any, settings: Settings
) -> None:
    settings.SESSION_IDLE_AGE = 0
    with time_machine.travel(THEN, tick=False) as clock:
        sign_in()
        clock.shift(timedelta(days=6))

        assert is_in(client)


def test_what_has_ended_is_gone_from_the_database(ana: User, client: Client, sign_in: Any) -> None:
    with time_machine.travel(THEN, tick=False) as clock:
        sign_in()
        key = client.session.session_key
        clock.shift(timedelta(hours=25))
        is_in(client)

    assert not Session.objects.filter(pk=key).exists()


def test_one_sees_ones_sessions_and_ends_the_others(
    ana: User, client: Client, sign_in: Any
) -> None:
    elsewhere = Client(headers={"User-Agent": "a phone"})
    elsewhere.post("/sign-in/", {"login": "ana", "password": PASSWORD})
    sign_in()
    page = client.get("/account/sessions/").content.decode()
    assert "a phone" in page
    assert "this one" in page

    answer = client.post("/account/sessions/", follow=True)

    assert "All your other sessions have ended." in answer.content.decode()
    assert (is_in(client), is_in(elsewhere)) == (True, False)


def test_a_poll_asks_for_the_session_and_its_user_and_nothing_else_of_all_this(
    ana: User, client: Client, sign_in: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sign_in()
    client.get("/budget/meter/", headers=POLL)

    with django_assert_num_queries(3):  # The third is the meter's own: the accounts.
        client.get("/budget/meter/", headers=POLL)
