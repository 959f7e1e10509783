from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response
from pytest_django import live_server_helper

from dashboard.models import User
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server
from tests.engine import install
from tests.views.instance.upstream import Upstream, watched_upstream


@pytest.fixture(scope="session")
def base_url(live_server: live_server_helper.LiveServer) -> str:
    """What the paths in `goto` and the addresses in `expect` are relative to."""
    return live_server.url


@pytest.fixture(scope="session")
def axe() -> str:
    try:
        return install.axe_core()
    except (OSError, subprocess.SubprocessError):
        pytest.skip("axe-core could not be installed from npm")


@pytest.fixture
def simulator() -> Iterator[Server]:
    """An account without workflows that goes by the clock that a browser sees, so that what is said
    of the last day is the same on every day."""
    with simulator_server.serve("empty", now=timezone.now(), rate_limit=0) as server:
        yield server


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


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with watched_upstream(monkeypatch) as api:
        yield api


def sign_in(
    context: BrowserContext, live_server: live_server_helper.LiveServer, user: User
) -> None:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": live_server.url}]
    )


@pytest.fixture
def reader(
    page: Page, live_server: live_server_helper.LiveServer, operator: User
) -> Iterator[Page]:
    """Somebody signed in, in whose browser nothing was blocked and nothing went wrong."""
    sign_in(page.context, live_server, operator)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
    yield page
    assert trouble == []
