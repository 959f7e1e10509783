from __future__ import annotations

import pytest
from django.test import Client

from dashboard.models import User


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
