"""Costly pages can be had so often in a minute, by each person; then they say when again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from dashboard.models import User
from dashboard.views import limits
from tests.rows import THEN, account
from tests.servers.redis import Redis


@pytest.fixture(autouse=True)
def _counted(redis_server: Redis, settings: Settings) -> Iterator[None]:
    settings.BUDGET_REDIS_URL = redis_server.url
    yield
    limits._broker(redis_server.url).close()
    limits._broker.cache_clear()


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/instances/export.csv", limits.FILES),
        ("/operations/audit.ndjson", limits.FILES),
        ("/compare/", limits.PAGES),
        ("/since/?at=2026-11-20T02:00Z", limits.PAGES),
    ],
)
def test_after_so_many_in_a_minute_it_says_when_again(
    reader: Client, client: Client, address: str, most: int
) -> None:
    account()
    with time_machine.travel(THEN, tick=False) as clock:
        for _ in range(most):
            assert reader.get(address).status_code == 200
        clock.shift(20)

        refused = reader.get(address)
        assert refused.status_code == 429
        assert refused["Retry-After"] == "40"
        assert f"at most {most} times in a minute" in refused.content.decode()
        assert "again in 40 seconds" in refused.content.decode()
        other = Client()
        other.force_login(User.objects.create(username="olaf", role="viewer"))
        assert other.get(address).status_code == 200

        clock.shift(40)
        assert reader.get(address).status_code == 200


def test_files_of_all_kinds_are_counted_together(reader: Client) -> None:
    with time_machine.travel(THEN, tick=False):
        for place in range(limits.FILES):
            form = "csv" if place % 2 else "ndjson"
            reader.get(f"/{'operations/audit' if place % 3 else 'instances/export'}.{form}")

        assert reader.get("/instances/export.csv").status_code == 429


def test_without_redis_nobody_is_refused(reader: Client, redis_server: Redis) -> None:
    redis_server.stop()

    answers = {reader.get("/compare/").status_code for _ in range(limits.PAGES + 1)}

    assert answers == {200}
