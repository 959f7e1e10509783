from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.models import User

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ana(db: None) -> User:
    """Somebody with a password, who may look at everything."""
    return User.objects.create_user("ana", password=PASSWORD)


@pytest.fixture
def sign_in(client: Client) -> Any:
    """Sends the form of the sign-in page."""

    def send(name: str = "ana", password: str = PASSWORD, **more: str) -> Any:
        return client.post("/sign-in/", {"login": name, "password": password} | more)

    return send
