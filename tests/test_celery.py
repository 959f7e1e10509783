"""What a worker does while Redis, which carries its tasks, is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Message

from dashboard.celery import app
from tests.servers.redis import Redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path) as server:
        yield server


@pytest.fixture
def connection(redis: Redis) -> Iterator[Connection]:
    url = redis.url.replace("unix://", "redis+socket://")
    with app.connection_for_read(url=url) as connection:
        yield connection


@pytest.fixture
def taken(connection: Connection) -> Message:
    """A task that is under way in a worker that takes one at a time."""
    queue = connection.SimpleQueue("tasks")
    queue.consumer.qos(prefetch_count=1)
    queue.put("task")
    message: Message = queue.get(timeout=10)
    assert not message.channel.qos.can_consume()
    return message


def test_a_task_that_ends_after_its_connection_was_closed_raises_nothing(
    connection: Connection, taken: Message
) -> None:
    connection.release()

    taken.ack()


def test_a_task_that_ends_while_redis_is_away_leaves_room_for_another(
    redis: Redis, taken: Message
) -> None:
    redis.stop()

    taken.ack()

    assert taken.channel.qos.can_consume()


def test_a_task_that_has_ended_is_not_carried_again(connection: Connection, taken: Message) -> None:
    taken.ack()

    assert taken.channel.client.hlen("unacked") == 0
