"""What Redis carries, read from beside: lengths and ages of queues, and who was heard of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kombu import Connection

from dashboard import tasks
from dashboard.broker import FORGOTTEN_AFTER, Broker, Carried, Kind, Process
from dashboard.celery import app, queue_names
from tests.servers.redis import Redis

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def broker(redis_server: Redis) -> Iterator[Broker]:
    broker = Broker(redis_server.url)
    yield broker
    broker.close()


@pytest.fixture
def sender(redis_server: Redis) -> Iterator[Connection]:
    """What a beat sends tasks with."""
    url = redis_server.url.replace("unix://", "redis+socket://")
    with app.connection_for_write(url) as connection:
        yield connection


def read(broker: Broker, *queues: str) -> Carried:
    carried = broker.read(queues, NOW)
    assert carried is not None
    return carried


def test_a_queue_tells_how_many_tasks_wait_and_when_the_oldest_was_sent(
    broker: Broker, sender: Connection
) -> None:
    before = datetime.now(UTC)
    tasks.follow_operations.apply_async(connection=sender)
    after = datetime.now(UTC)
    tasks.follow_operations.apply_async(connection=sender)

    [queue, other] = read(broker, queue_names()[0], "other").queues

    assert queue.waiting == 2
    assert queue.sent_at is not None
    assert before <= queue.sent_at <= after
    assert (other.waiting, other.sent_at) == (0, None)


def test_a_task_that_was_taken_and_not_acknowledged_is_counted_as_taken(
    broker: Broker, sender: Connection
) -> None:
    tasks.follow_operations.apply_async(connection=sender)
    name = queue_names()[0]
    taken = sender.SimpleQueue(name).get(timeout=5)

    [queue] = read(broker, name).queues
    assert (queue.waiting, queue.taken) == (0, 1)
    assert queue.taken_at is not None

    taken.ack()
    [queue] = read(broker, name).queues
    assert (queue.taken, queue.taken_at) == (0, None)


def test_processes_are_heard_of_until_they_leave_or_an_hour_has_passed(broker: Broker) -> None:
    worker = Process(Kind.WORKER, "worker@here", NOW, ("fresh", "backfill"))
    beat = Process(Kind.BEAT, "beat-1@here", NOW - timedelta(minutes=40))
    long_ago = Process(Kind.BEAT, "beat-2@here", NOW - FORGOTTEN_AFTER)
    for process in (worker, beat, long_ago):
        assert broker.tell(process)

    assert read(broker).processes == (beat, worker)
    broker.leave(worker.name)
    assert read(broker).processes == (beat,)


def test_without_redis_nothing_is_known_and_nothing_is_raised(
    broker: Broker, redis_server: Redis
) -> None:
    redis_server.stop()

    assert broker.read(["fresh"], NOW) is None
    assert not broker.tell(Process(Kind.BEAT, "beat-1@here", NOW))
    broker.leave("beat-1@here")
