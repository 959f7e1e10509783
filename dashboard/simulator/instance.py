"""One instance as an object: touched by somebody, created over the API, or built for one answer."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from .course import FINISHED, Course
from .population import Retention


@dataclass
class Schedule:
    """The cron expression and the tick (ms) that an instance was made for."""

    cron: str
    scheduled_time: int


@dataclass
class Instance:
    """`queued` is when it last entered the queue, the start of the course when it left."""

    id: str
    version_id: str
    trigger: str
    created: int
    queued: int
    course: Course
    params: Any
    retention: Retention
    schedule: Schedule | None = None
    index: int = -1
    restarts: int = 0
    acted: int = 0
    history: list[tuple[int, Course, int]] = field(default_factory=list)

    @property
    def start(self) -> int:
        """When it leaves the queue, or would have."""
        return self.course.start

    def status(self, now: int) -> str:
        """One of the nine."""
        course, _ = self._at(now)
        if now >= course.start or course.end < course.start:
            return course.status(now)
        return "queued"

    def modified(self, now: int) -> int:
        """The last instant at which its status may have changed."""
        course, queued = self._at(now)
        moments = [m for m in course.instants() if m <= now] + [self.created, queued]
        return max([*moments, self.acted if self.acted <= now else 0])

    def started(self, now: int) -> int | None:
        """When it left the queue, None before that."""
        course, _ = self._at(now)
        return course.start if course.start <= now else None

    def ended(self, now: int) -> int | None:
        """When it finished, None before that."""
        course, _ = self._at(now)
        return course.end if self.status(now) in FINISHED else None

    @property
    def expires_from(self) -> int:
        """Retention does not remove it before this, if nobody acts on it."""
        return self.course.end + self.retention.least

    def is_expired(self, now: int) -> bool:
        """Whether retention has removed it."""
        status = self.status(now)
        return status in FINISHED and now >= self.course.end + self.retention.of(status)

    def remember(self, now: int) -> None:
        """Keep what it was until now, for lists that lag; call before any change."""
        self.history.append((now, copy.deepcopy(self.course), self.queued))
        del self.history[:-8]
        self.acted = now

    def _at(self, now: int) -> tuple[Course, int]:
        for until, course, queued in self.history:
            if now < until:
                return course, queued
        return self.course, self.queued
