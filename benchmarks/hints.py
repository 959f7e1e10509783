"""The event feed of `freshness.py`: it tells of failures late, and not of all of them."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence

from benchmarks.copying import Copy

READ_EVERY = 10.0
LAG = (5.0, 15.0)
LOST_SHARE = 0.1


class Feed:
    """Events of all failures after second 0. Its queries have a limit of their own, and so cost
    nothing of the budget."""

    def __init__(self, copies: Sequence[Copy], seed: int) -> None:
        chance = random.Random(seed)
        self.copies, self.read_at = copies, 0.0
        self._events = sorted(
            (copy.truth.ends[row] + chance.uniform(*LAG), number, row)
            for number, copy in enumerate(copies)
            for row in copy.truth.erring
            if copy.truth.ends[row] > 0 and chance.random() >= LOST_SHARE
        )
        self._taken = 0

    def read(self, now: float) -> None:
        """Takes the hints of the last whole interval of READ_EVERY seconds."""
        self.read_at = now - now % READ_EVERY
        until = bisect_right(self._events, (self.read_at,), lo=self._taken)
        for _, number, row in self._events[self._taken : until]:
            self.copies[number].hint(row)
        self._taken = until
