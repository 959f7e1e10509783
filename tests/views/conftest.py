from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from dashboard.models import User
from dashboard.simulator.server import Server
from tests.fixtures import Watched


@pytest.fixture
def reader(client: Client, viewer: User) -> Client:
    """A browser in which somebody is signed in who may look."""
    client.force_login(viewer)
    return client


@pytest.fixture
def actor(client: Client, operator: User) -> Client:
    """A browser in which somebody is signed in who may act."""
    client.force_login(operator)
    return client


@pytest.fixture
def on_call(watched: Watched, configured: Server) -> Iterator[Watched]:
    """The simulated account is the one that is configured, and pages live by its clock."""
    with time_machine.travel(watched.clock(), tick=False):
        yield watched


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Settings) -> None:
    """A real hash takes half a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
