"""Where to look when the sync is stale: accounts, queues, workers and beat, each with its age."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard import connection
from dashboard.broker import Broker, Kind, Process
from dashboard.celery import queue_names
from tests.rows import account
from tests.servers.redis import Redis


@pytest.fixture
def broker(
    db: None, redis_server: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Broker]:
    """One configured account, and a Redis that answers."""
    settings.BUDGET_REDIS_URL = redis_server.url
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_NAME", "prod")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "a-token-of-the-test")
    broker = Broker(redis_server.url)
    yield broker
    broker.close()
    connection.disconnect()


def words(reader: Client, path: str = "/sync/") -> str:
    answer = reader.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def tell(broker: Broker, kind: Kind, name: str, seconds: float = 0) -> None:
    queues = tuple(queue_names()) if kind is Kind.WORKER else ()
    broker.tell(Process(kind, name, timezone.now() - timedelta(seconds=seconds), queues))


def test_workers_and_beat_that_live_are_named_and_nothing_is_said_to_be_wrong(
    reader: Client, broker: Broker
) -> None:
    tell(broker, Kind.WORKER, "worker@here")
    tell(broker, Kind.BEAT, "beat-7@here")

    said = words(reader)

    assert "worker@here" in said
    assert "beat-7@here" in said
    assert "silent" not in said
    assert "notice" not in reader.get("/sync/").content.decode().partition('id="sync" ')[2]


def test_a_queue_without_a_worker_says_since_when_and_how_to_start_one(
    reader: Client, broker: Broker
) -> None:
    tell(broker, Kind.WORKER, "worker@here", seconds=40)
    tell(broker, Kind.BEAT, "beat-7@here")

    said = words(reader)

    for queue in queue_names():
        assert re.search(rf"Nobody takes tasks from the queue {queue} : no worker", said)
        assert f"--pool threads --concurrency 4 --queues {queue}" in said
    assert re.search(r"no worker has answered since [^(]+\( 4\d s ago \)", said)
    assert re.search(r"4\d s ago , silent", said)


def test_without_a_beat_the_page_says_that_nothing_is_sent(reader: Client, broker: Broker) -> None:
    tell(broker, Kind.WORKER, "worker@here")
    assert "no beat was heard of in the last hour" in words(reader)

    tell(broker, Kind.BEAT, "beat-7@here", seconds=60)
    assert re.search(r"beat was last heard of 1 min ago", words(reader))


def test_two_beats_are_one_too_many(reader: Client, broker: Broker) -> None:
    tell(broker, Kind.BEAT, "beat-7@here")
    tell(broker, Kind.BEAT, "beat-8@there")

    assert "2 beats are running, and one is enough" in words(reader)


def test_without_redis_the_page_says_so_and_still_shows_the_accounts(
    reader: Client, broker: Broker, redis_server: Redis
) -> None:
    account(synced_at=timezone.now() - timedelta(minutes=2))
    redis_server.stop()

    said = words(reader)

    assert "Redis does not answer, so nothing is known of queues, workers and beat" in said
    assert re.search(r"prod 2 min ago", said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "due, waiting for a worker"),
        ({"next_sync_at": -40}, r"due 40 s ago, waiting for a worker"),
        ({"next_sync_at": -3}, r"due 3 s ago(?!, waiting)"),
        ({"next_sync_at": 40}, r"next in (40|39) s"),
        ({"next_sync_at": -40, "leased_until": 50}, "being synced"),
        ({"next_sync_at": 20, "waits_for_budget": True}, r"waiting for budget, goes on in \d+ s"),
        ({"next_sync_at": 9, "sync_error": "boom", "sync_failed_at": -5}, r"Failed 5 s ago : boom"),
    ],
)
def test_an_account_says_what_its_sync_waits_for(
    reader: Client, broker: Broker, facts: dict[str, int | str | bool], said: str
) -> None:
    now = timezone.now()
    account(
        **{
            name: now + timedelta(seconds=value) if type(value) is int else value
            for name, value in facts.items()
        }
    )

    assert re.search(said, words(reader).replace(" ,", ","))


def test_an_account_tells_how_long_its_last_sync_took_and_what_it_asked(
    reader: Client, broker: Broker
) -> None:
    account(synced_at=timezone.now(), last_seconds=75.0, last_requests=1234)

    assert re.search(r"1 m 15 s 1,234", words(reader))


def test_a_sync_that_has_stopped_leads_to_the_page(reader: Client, broker: Broker) -> None:
    account(synced_at=timezone.now() - timedelta(minutes=5))

    assert '<a href="/sync/">Is the worker running?</a>' in reader.get("/").content.decode()
