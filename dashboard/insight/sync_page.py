"""Who carries the sync: queues, workers and beats, and what is wrong with them in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.broker import Carried, Kind, Process, Queue

#: Each process speaks every 5 s; who missed four of those is silent.
SILENT_AFTER = timedelta(seconds=20)
#: A task that waits for so long is not taken as it should be: workers are busy, or there is none.
LATE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class ProcessRow:
    """A worker or beat, and whether it was heard of lately."""

    process: Process
    now: datetime

    @property
    def is_silent(self) -> bool:
        return self.now - self.process.heard_at > SILENT_AFTER


@dataclass(frozen=True)
class QueueRow:
    """A queue, and the workers that take from it."""

    queue: Queue
    workers: tuple[ProcessRow, ...]
    now: datetime

    @property
    def alive(self) -> int:
        """How many workers take from it now."""
        return sum(not worker.is_silent for worker in self.workers)

    @property
    def heard_at(self) -> datetime | None:
        """When the last of its workers was heard of; None when none was within the hour."""
        return max((worker.process.heard_at for worker in self.workers), default=None)

    @property
    def is_late(self) -> bool:
        return self.queue.sent_at is not None and self.now - self.queue.sent_at > LATE_AFTER


@dataclass(frozen=True)
class SyncPage:
    """What the page says of Redis; `carried` is None while that does not answer."""

    carried: Carried | None
    now: datetime

    @property
    def queues(self) -> list[QueueRow]:
        if self.carried is None:
            return []
        workers = self._rows(Kind.WORKER)
        return [
            QueueRow(
                queue,
                tuple(row for row in workers if queue.name in row.process.queues),
                self.now,
            )
            for queue in self.carried.queues
        ]

    @property
    def processes(self) -> list[ProcessRow]:
        """Workers and beats. A beat has a new name with each start, so a silent one is shown only
        where no other lives."""
        beats = sorted(self._rows(Kind.BEAT), key=lambda row: row.process.heard_at)
        living = [row for row in beats if not row.is_silent]
        return self._rows(Kind.WORKER) + (living or beats[-1:])

    @property
    def beats(self) -> int:
        """How many beats live."""
        return sum(not row.is_silent for row in self._rows(Kind.BEAT))

    @property
    def beat_heard_at(self) -> datetime | None:
        """When the last beat was heard of; None when none was within the hour."""
        return max((row.process.heard_at for row in self._rows(Kind.BEAT)), default=None)

    def _rows(self, kind: Kind) -> list[ProcessRow]:
        """By name, the silent first."""
        found = [] if self.carried is None else self.carried.processes
        rows = [ProcessRow(process, self.now) for process in found if process.kind is kind]
        return sorted(rows, key=lambda row: (not row.is_silent, row.process.name))
