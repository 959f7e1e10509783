from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client as Browser

from dashboard.models import User
from tests.views.instance.upstream import Upstream, watched_upstream


@pytest.fixture
def upstream(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """A scripted account, which is the one that the environment names."""
    with watched_upstream(monkeypatch) as api:
        yield api


@pytest.fixture
def reader(client: Browser, operator: User) -> Browser:
    """Somebody signed in."""
    client.force_login(operator)
    return client
