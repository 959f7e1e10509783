"""Workers and beats say every few seconds that they live; each task tells when it was sent."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from celery import Celery, bootsteps, signals
from django.conf import settings
from django.utils import timezone

from dashboard.broker import SENT_AT, Broker, Kind, Process

EVERY = 5.0


def install(app: Celery) -> None:
    """Every worker of the app, and every beat, says that it lives from now on."""
    app.steps["consumer"].add(Pulse)
    signals.before_task_publish.connect(note_when_sent)
    signals.beat_init.connect(listen_to_beat)


class Pulse(bootsteps.StartStopStep):
    """The part of a worker that says so: from its own loop, for as long as that takes tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self.broker = Broker(settings.BUDGET_REDIS_URL)
        self.timer: Any = None

    def start(self, consumer: Any) -> None:
        self.tell(consumer)
        self.timer = consumer.timer.call_repeatedly(EVERY, self.tell, (consumer,))

    def tell(self, consumer: Any) -> None:
        queues = tuple(sorted(queue.name for queue in consumer.task_consumer.queues))
        self.broker.tell(Process(Kind.WORKER, consumer.hostname, timezone.now(), queues))

    def stop(self, consumer: Any) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None

    def shutdown(self, consumer: Any) -> None:
        self.stop(consumer)
        self.broker.leave(consumer.hostname)


class BeatPulse:
    """What a beat says whenever it sends a task, but not more often than need be."""

    def __init__(self) -> None:
        self.broker = Broker(settings.BUDGET_REDIS_URL)
        self.name = f"beat-{os.getpid()}@{socket.gethostname()}"
        self.next_at = 0.0

    def tell(self, **_: Any) -> None:
        if time.monotonic() >= self.next_at:
            self.next_at = time.monotonic() + EVERY
            self.broker.tell(Process(Kind.BEAT, self.name, timezone.now()))


def listen_to_beat(**_: Any) -> None:
    """This process is a beat: each task that it sends shows that it lives."""
    signals.before_task_publish.connect(BeatPulse().tell, weak=False)


def note_when_sent(headers: dict[str, Any], **_: Any) -> None:
    headers[SENT_AT] = time.time()
