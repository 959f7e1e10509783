"""The simulator's own time, which tests can stop and move."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Clock:
    """Milliseconds since 1970, UTC; it runs with the real clock, or stands still until moved."""

    def __init__(self, start: datetime | None = None, *, ticking: bool | None = None) -> None:
        """`start` defaults to the present. With one it stands still unless told to tick."""
        self._ticking = start is None if ticking is None else ticking
        self._origin = time.monotonic()
        self._start = to_ms(start or datetime.now(UTC))

    def now(self) -> int:
        """The instant it shows, in milliseconds."""
        passed = int((time.monotonic() - self._origin) * SECOND) if self._ticking else 0
        return self._start + passed

    def advance(self, seconds: float) -> int:
        """Move it forward; time never runs backwards. Returns the new instant."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self._start += round(seconds * SECOND)
        return self.now()


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime."""
    return round(moment.timestamp() * SECOND)


def instant(ms: int) -> str:
    """An instant as the API writes it: `2026-09-01T00:00:00.000Z`."""
    whole = datetime.fromtimestamp(ms // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{ms % SECOND:03d}Z"


def instant_or_none(ms: int | None) -> str | None:
    """As `instant`, for what has not happened yet."""
    return None if ms is None else instant(ms)


_UNITS = {
    "second": SECOND,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365 * DAY,
}


def duration_ms(value: str | int) -> int:
    """A duration as Workflows spells it: milliseconds, or words such as "5 minutes"."""
    if isinstance(value, int):
        return value
    count, unit = value.split()
    return int(count) * _UNITS[unit.removesuffix("s")]
