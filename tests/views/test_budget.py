"""What is left of the request budget is on every page, and who spent it has a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard import connection
from dashboard.cloudflare import Lane, RateLimit, Spender
from dashboard.cloudflare.redis_budget import RedisBudget
from dashboard.sync import finding
from tests.fixtures import Watched
from tests.gates import Allowing
from tests.rows import account
from tests.servers.redis import Redis


@pytest.fixture
def budget(
    db: None, redis_server: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RedisBudget]:
    """The budget of the one configured account, in a Redis that answers."""
    settings.BUDGET_REDIS_URL = redis_server.url
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_NAME", "prod")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "a-token-of-the-test")
    connection.disconnect()
    [(names, budget)] = connection.budgets()
    assert names == "prod"
    yield budget
    connection.disconnect()


def words(reader: Client, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reader.get(path).content.decode()))


def test_every_page_says_what_is_used_and_when_it_resets(
    reader: Client, budget: RedisBudget
) -> None:
    for _ in range(3):
        budget.spend(Lane.PERSON, Spender.WEB)

    assert "3 of 1,200 requests used by everybody here" in words(reader, "/")
    assert re.search(r"resets in\s+[45] min", words(reader, "/instances/"))
    assert "3 of 1,200 requests used" in words(reader, "/budget/meter/")


def test_when_cloudflare_counts_more_its_count_is_shown(
    reader: Client, budget: RedisBudget
) -> None:
    budget.told(RateLimit(200, 130.0))

    assert re.search(
        r"1,000 of 1,200 requests used by everybody\s*, resets in 2 min", words(reader, "/")
    )
    assert "is-low" in reader.get("/").content.decode()


def test_a_429_says_when_everything_goes_on(reader: Client, budget: RedisBudget) -> None:
    budget.told(None, closed_for=250)

    assert re.search(r"Cloudflare asked to wait, all goes on\s+in 4 min", words(reader, "/"))
    assert "Cloudflare answered 429" in words(reader, "/budget/")


def test_without_redis_pages_say_that_the_budget_is_unknown(
    reader: Client, budget: RedisBudget, redis_server: Redis
) -> None:
    redis_server.stop()

    assert reader.get("/").status_code == 200
    assert "Budget unknown: Redis does not answer" in words(reader, "/")
    assert "Budget unknown: Redis does not answer" in words(reader, "/budget/")


def test_the_page_says_who_spent_what_in_which_lane(reader: Client, budget: RedisBudget) -> None:
    spent = [(Lane.PERSON, Spender.WEB, 2), (Lane.FRESHNESS, Spender.WORKER, 5)]
    for lane, spender, count in spent:
        for _ in range(count):
            budget.spend(lane, spender)

    html = reader.get("/budget/").content.decode()

    rows = [re.findall(r">\s*(\d+)</td>", row) for row in re.findall(r"<tr>.*?</tr>", html, re.S)]
    assert [row for row in rows if row] == [
        ["2", "0", "0", "0", "2"],
        ["0", "0", "0", "0", "0"],
        ["0", "0", "0", "0", "0"],
        ["0", "5", "0", "0", "5"],
        ["0", "0", "0", "0", "0"],
        ["2", "5", "0", "0", "7"],
    ]
    assert 'aria-label="7 requests in the last hour"' in html
    assert html.count('<rect data-lane="person"') >= 1
    assert "may use 60 %" in words(reader, "/budget/")
    assert "a-token-of-the-test" not in html


def test_accounts_that_share_a_token_share_a_budget(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNTS", "prod staging other")
    for name, token in [("PROD", "same"), ("STAGING", "same"), ("OTHER", "another")]:
        monkeypatch.setenv(f"CLOUDFLARE_ACCOUNT_ID_{name}", f"id-{name}")
        monkeypatch.setenv(f"CLOUDFLARE_API_TOKEN_{name}", token)

    assert [names for names, _ in connection.budgets()] == ["prod, staging", "other"]
    connection.disconnect()


def test_a_local_engine_has_no_budget(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:8787")

    assert connection.budgets() == []
    assert "Nothing is limited here" in words(reader, "/budget/")


def test_a_sync_that_waits_for_budget_says_so_calmly(reader: Client, budget: RedisBudget) -> None:
    now = timezone.now()
    account(
        synced_at=now - timedelta(minutes=3),
        waits_for_budget=True,
        next_sync_at=now + timedelta(seconds=12, milliseconds=500),
    )

    assert re.search(r"waiting for budget, goes on\s+in 1[0-3] s", words(reader, "/"))
    assert "is-failing" not in reader.get("/").content.decode()


def test_an_instance_that_was_not_asked_for_is_shown_as_it_was(watched: Watched) -> None:
    instance_id = watched.add("running")
    watched.sync()
    watched.advance(60)
    watched.client._transport._gate = Allowing(0)

    found = finding.find_instance(
        watched.client, watched.account.account_id, "orders", instance_id, now=watched.clock()
    )

    assert found.is_waiting
    assert found.instance
