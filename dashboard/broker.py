"""What Redis carries: the queues, how old their tasks are, which processes were heard of, and how
often somebody asked for what costs much.

Workers and beats write it every few seconds (`pulse.py`), the page of the sync reads it. Nothing of
it must last: after Redis was emptied it is there again in seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

#: A page must not hang on Redis; it answers within a millisecond or not at all.
REDIS_SECONDS = 0.5
#: Which processes were heard of, by name.
HEARD = "dashboard:heard"
#: What was counted, by what it is and when.
COUNTED = "dashboard:counted"
#: A process that was not heard of for so long is no longer named.
FORGOTTEN_AFTER = timedelta(hours=1)
#: The header of a task that tells when it was sent, in seconds since 1970.
SENT_AT = "sent_at"
#: Where Celery keeps tasks that a worker has taken and not yet acknowledged, and since when.
TAKEN, TAKEN_AT = "unacked", "unacked_index"


class Kind(StrEnum):
    WORKER = "worker"
    BEAT = "beat"


@dataclass(frozen=True)
class Process:
    """A worker or beat that was heard of at `heard_at`. `queues`: those it takes tasks from."""

    kind: Kind
    name: str
    heard_at: datetime
    queues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Queue:
    """The tasks of one queue: those that wait, and those that a worker has taken and not finished.

    `sent_at`: when the oldest that waits was sent; None when none waits or it does not tell.
    `taken_at`: since when the oldest that was taken is under way.
    """

    name: str
    waiting: int = 0
    sent_at: datetime | None = None
    taken: int = 0
    taken_at: datetime | None = None


@dataclass(frozen=True)
class Carried:
    queues: tuple[Queue, ...]
    processes: tuple[Process, ...]


class Broker:
    """Celery's Redis, seen from beside. Threads share it."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._redis.close()

    def tell(self, process: Process) -> bool:
        """Writes down that the process lives; False while Redis does not answer."""
        told = [process.kind, process.heard_at.timestamp(), process.queues]
        try:
            self._redis.hset(HEARD, process.name, json.dumps(told))
        except (redis.RedisError, OSError):
            return False
        return True

    def leave(self, name: str) -> None:
        """Forgets a process that ends as it should."""
        try:
            self._redis.hdel(HEARD, name)
        except (redis.RedisError, OSError):
            return

    def count(self, name: str, seconds: int) -> int | None:
        """How often this name was counted in the present stretch of so many seconds, now included;
        None while Redis does not answer."""
        key = f"{COUNTED}:{name}:{int(time.time() // seconds)}"
        try:
            with self._redis.pipeline() as pipe:
                pipe.incr(key)
                pipe.expire(key, seconds)
                number, _ = pipe.execute()
        except (redis.RedisError, OSError):
            return None
        return int(number)

    def read(self, queues: Iterable[str], now: datetime) -> Carried | None:
        """These queues, and every process that was heard of; None while Redis does not answer."""
        names = list(queues)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(HEARD)
                pipe.hgetall(TAKEN)
                pipe.zrange(TAKEN_AT, 0, -1, withscores=True)
                for name in names:
                    pipe.llen(name)
                    pipe.lindex(name, -1)
                heard, taken, taken_at, *tasks = pipe.execute()
        except (redis.RedisError, OSError):
            return None
        by_queue = _taken_by_queue(taken, dict(taken_at))
        return Carried(
            tuple(
                Queue(name, waiting, _sent_at(oldest), *by_queue.get(name, (0, None)))
                for name, waiting, oldest in zip(names, tasks[::2], tasks[1::2], strict=True)
            ),
            tuple(sorted(_processes(heard, now), key=lambda process: process.name)),
        )


def _processes(heard: dict[str, str], now: datetime) -> Iterable[Process]:
    for name, told in heard.items():
        kind, seconds, queues = json.loads(told)
        process = Process(Kind(kind), name, _moment(seconds), tuple(queues))
        if now - process.heard_at < FORGOTTEN_AFTER:
            yield process


def _taken_by_queue(
    taken: dict[str, str], since: dict[str, float]
) -> dict[str, tuple[int, datetime | None]]:
    """Queue to how many of its tasks are taken, and since when the oldest is."""
    moments: dict[str, list[float]] = {}
    for tag, text in taken.items():
        _, _, queue = json.loads(text)
        moments.setdefault(queue, []).append(since.get(tag, 0.0))
    return {
        queue: (len(found), _moment(min(filter(None, found))) if any(found) else None)
        for queue, found in moments.items()
    }


def _sent_at(task: str | None) -> datetime | None:
    headers: dict[str, Any] = json.loads(task)["headers"] if task else {}
    return _moment(headers[SENT_AT]) if SENT_AT in headers else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
