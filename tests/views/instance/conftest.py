from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client as Browser

from dashboard import connection
from dashboard.models import User
from tests.views.instance.upstream import ACCOUNT, Upstream


@pytest.fixture
def upstream(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """A scripted account, which is the one that the environment names."""
    with Upstream() as api:
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", api.url)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "tok-0123456789")
        yield api
        connection.disconnect()


@pytest.fixture
def reader(client: Browser, operator: User) -> Browser:
    """Somebody signed in."""
    client.force_login(operator)
    return client
