from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dashboard.models import ApiToken, User
from dashboard.simulator.server import Server
from tests.fixtures import Watched

MakeToken = Callable[..., tuple[ApiToken, str]]


@pytest.fixture
def on_call(watched: Watched, configured: Server) -> Iterator[Watched]:
    """The simulated account is the one that is configured, and the API lives by its clock."""
    with time_machine.travel(watched.clock(), tick=False):
        yield watched


def make_token(user: User, scope: str = "operate", **facts: Any) -> tuple[ApiToken, str]:
    """A token, and its secret."""
    now = timezone.now()
    told = {"name": "deploy-bot", "created_at": now, "expires_at": now + timedelta(days=90)}
    return ApiToken.objects.make(user=user, scope=scope, **(told | facts))


class Script:
    """A program that bears a token."""

    def __init__(self, secret: str) -> None:
        self.browser = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, path: str, **query: Any) -> Any:
        return self.browser.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.browser.post(f"/api/v1{path}", body, "application/json", headers=headers)


@pytest.fixture
def script(on_call: Watched, operator: User) -> Script:
    """One whose user may act, with a token that lets it."""
    return Script(make_token(operator)[1])


@pytest.fixture
def reading(on_call: Watched, viewer: User) -> Script:
    """One that may only look."""
    return Script(make_token(viewer, "read", name="report")[1])
