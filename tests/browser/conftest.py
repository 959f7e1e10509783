from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import ConsoleMessage, Page, Response
from pytest_django import live_server_helper

from dashboard.models import User


@pytest.fixture(scope="session")
def base_url(live_server: live_server_helper.LiveServer) -> str:
    """What the paths in `goto` and the addresses in `expect` are relative to."""
    return live_server.url


@pytest.fixture
def window(live_server: live_server_helper.LiveServer, page: Page) -> Page:
    """A browser window in which an operator is signed in."""
    client = Client()
    client.force_login(User.objects.create_user("olga", role="operator"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
    )
    page.set_default_timeout(15_000)
    return page


@pytest.fixture
def screen(window: Page) -> Iterator[Page]:
    """The same, where nothing may be complained about: no error, no broken rule, no lost file."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    def see(response: Response) -> None:
        if response.status >= 400:
            complaints.append(f"{response.status} {response.url}")

    window.on("console", hear)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("response", see)
    window.goto("/")
    yield window
    assert complaints == []
