"""Workers and beats are heard of while they live, also after Redis was emptied."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from dashboard.broker import Broker, Kind, Process
from tests.distributed.house import House

pytestmark = pytest.mark.start


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_workers_and_beats_are_heard_of_until_they_end(build: Callable[..., House]) -> None:
    house = build("empty", now=datetime.now(UTC))
    broker = Broker(house.redis.url)

    def heard(kind: Kind) -> list[Process]:
        carried = broker.read([], datetime.now(UTC))
        return [one for one in carried.processes if one.kind is kind] if carried else []

    house.start_workers()
    house.start_beat()
    started = len(house.running) - 1
    house.wait_for("all are heard of", lambda: len(heard(Kind.WORKER)) == started)
    house.wait_for("the beat is heard of", lambda: len(heard(Kind.BEAT)) == 1)
    assert all(worker.queues for worker in heard(Kind.WORKER))

    for process in (*heard(Kind.WORKER), *heard(Kind.BEAT)):
        broker.leave(process.name)  # As if Redis had been emptied.
    house.wait_for("the beat is heard of again", lambda: len(heard(Kind.BEAT)) == 1)
    house.wait_for("all are heard of again", lambda: len(heard(Kind.WORKER)) == started)

    house.stop_workers()
    assert heard(Kind.WORKER) == []
    broker.close()
