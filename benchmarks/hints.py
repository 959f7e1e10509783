"""The event feed of `freshness.py`: it tells of failures late, and not of all of them."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence

from benchmarks.bucket import ANSWER_SECONDS, Bucket
from benchmarks.copying import Copy
from dashboard.sync import feed

FAILURES_PER_RUN, READ_EVERY = feed.FAILURES_PER_RUN, feed.READ_EVERY.total_seconds()
LAG = (5.0, 15.0)
LOST_SHARE = 0.1
#: The step that failed has an event as well as the instance; each is lost for itself.
EVENTS_PER_FAILURE = 2


class Feed:
    """Events of all failures after second 0. Its queries have a limit of their own, but are taken
    from the bucket all the same, as the gate does."""

    def __init__(self, copies: Sequence[Copy], bucket: Bucket, seed: int) -> None:
        chance = random.Random(seed)
        self.copies, self.bucket, self.read_at = copies, bucket, 0.0
        self._events = sorted(
            (copy.truth.ends[row] + chance.uniform(*LAG), number, row)
            for number, copy in enumerate(copies)
            for row in copy.truth.erring
            if copy.truth.ends[row] > 0
            and any(chance.random() >= LOST_SHARE for _ in range(EVENTS_PER_FAILURE))
        )
        self._taken = 0

    def read(self, now: float) -> None:
        """All that was due until now. Another process does so, whatever goes on here: a failure is
        read where its turn came then."""
        while self.read_at + READ_EVERY <= now:
            self._read_at(self.read_at + READ_EVERY)

    def _read_at(self, instant: float) -> None:
        self.read_at = instant
        self.bucket.spend(is_urgent=True)
        until = bisect_right(self._events, (instant,), lo=self._taken)
        hints, self._taken = self._events[self._taken : until], until
        for place, (_, number, row) in enumerate(hints):
            if place < FAILURES_PER_RUN:
                instant += ANSWER_SECONDS
                self.copies[number].read_at(row, instant + ANSWER_SECONDS)
            else:
                self.copies[number].hint(row)
