"""What the budget says of itself: the meter's reading, and who spent what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.cloudflare.budget import TERMS, Lane

STEP_MS = 5_000
MINUTE_MS = 60_000
MINUTES = 60

#: "lane/spender" -> requests.
Counts = Mapping[str, str]


@dataclass(frozen=True)
class Reading:
    """One moment of a budget. Times are seconds, `now_ms` milliseconds since 1970.

    `spent`: by this dashboard in the last `window`. `told_used`, for `told_for` more seconds: what
    Cloudflare says everybody used, None when it did not say. `closed_for`: how long nothing may be
    asked, after a 429. `free_in`: when all that was spent here counts no more.
    """

    now_ms: int
    quota: int
    window: float
    spent: int
    told_used: int | None
    told_for: float | None
    closed_for: float
    free_in: float
    share: float

    @classmethod
    def of(cls, answer: Sequence[int], share: float) -> Reading:
        """From what `budget.lua` returns for `read`."""
        now, quota, window, spent, told_used, told_for, closed_for, free_in = answer
        is_told = told_used >= 0
        return cls(
            now_ms=now,
            quota=quota,
            window=window / 1000,
            spent=spent,
            told_used=told_used if is_told else None,
            told_for=told_for / 1000 if is_told else None,
            closed_for=closed_for / 1000,
            free_in=free_in / 1000,
            share=share,
        )

    @property
    def used(self) -> int:
        """The higher of our count and Cloudflare's: that is what decides."""
        return max(self.spent, self.told_used or 0)

    @property
    def told_remaining(self) -> int | None:
        return None if self.told_used is None else max(0, self.quota - self.told_used)

    @property
    def reset_in(self) -> float:
        """Until the whole quota is there again: as Cloudflare says, else as we count."""
        return max(self.closed_for, self.free_in if self.told_for is None else self.told_for)

    @property
    def background_from(self) -> int:
        """Where background work stops, however little of it there was."""
        return int(self.quota * TERMS[Lane.WATCHED].ceiling)


@dataclass(frozen=True)
class Ledger:
    """Who spent what. `window`: (lane, spender) -> requests; `hour`: the same by minute, oldest
    first; `refusals`: when Cloudflare answered 429, newest first.
    """

    reading: Reading
    window: Mapping[tuple[str, str], int]
    hour: Mapping[datetime, Mapping[tuple[str, str], int]]
    refusals: tuple[datetime, ...]

    @staticmethod
    def steps(reading: Reading) -> range:
        """The starts of the steps that count in the window."""
        last = reading.now_ms - reading.now_ms % STEP_MS
        first = last - int(reading.window * 1000)
        return range(first, last + 1, STEP_MS)

    @staticmethod
    def minutes(reading: Reading) -> range:
        """The starts of this minute and the 59 before it."""
        last = reading.now_ms - reading.now_ms % MINUTE_MS
        return range(last - (MINUTES - 1) * MINUTE_MS, last + 1, MINUTE_MS)

    @classmethod
    def of(
        cls,
        reading: Reading,
        steps: Iterable[Counts],
        minutes: Mapping[int, Counts],
        refusals: Iterable[str],
    ) -> Ledger:
        """From what Redis holds."""
        window: Counter[tuple[str, str]] = Counter()
        for counts in steps:
            window.update(_split(counts))
        return cls(
            reading,
            window,
            {_instant(start): _split(counts) for start, counts in minutes.items()},
            tuple(_instant(int(moment)) for moment in refusals),
        )


def _split(counts: Counts) -> dict[tuple[str, str], int]:
    found = {}
    for name, count in counts.items():
        lane, _, spender = name.partition("/")
        found[lane, spender] = int(count)
    return found


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
