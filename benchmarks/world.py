"""A synthetic account for `freshness.py`: what Cloudflare would answer at any instant.

Workflows with Zipf traffic and two kinds of instances: fast ones (running, 30 s on average) and
slow ones (waiting, 6 h). 3 % of all ends are errors. Everything is known beforehand and sorted by
creation, so an answer is a search in arrays.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field

FAST_LIFE = 30.0
SLOW_LIFE = 6 * 3600.0
ERRED_SHARE = 0.03
#: Fast instances per second, by the number of unfinished ones that the account holds.
FAST_RATES = {1_000: 1.0, 100_000: 10.0, 1_000_000: 50.0}


@dataclass
class Truth:
    """One workflow's instances, oldest first: when each was created and ends, slow, erring."""

    created: list[float]
    ends: list[float]
    is_slow: bytearray
    is_erring: bytearray
    erring: list[int] = field(init=False)
    _sorted: dict[str, list[float]] = field(init=False)

    def __post_init__(self) -> None:
        rows = range(len(self.created))
        self.erring = [row for row in rows if self.is_erring[row]]
        slow = [row for row in rows if self.is_slow[row]]
        fast = [row for row in rows if not self.is_slow[row]]
        self._sorted = {
            "errored": sorted(self.ends[row] for row in self.erring),
            "waiting": [self.created[row] for row in slow],
            "waiting-ends": sorted(self.ends[row] for row in slow),
            "running": [self.created[row] for row in fast],
            "running-ends": sorted(self.ends[row] for row in fast),
        }

    def count(self, now: float) -> int:
        """How many were created until now."""
        return bisect_right(self.created, now)

    def counts(self, now: float) -> dict[str, int]:
        """Cloudflare's count per status."""
        until = {name: bisect_right(instants, now) for name, instants in self._sorted.items()}
        running = until["running"] - until["running-ends"]
        waiting = until["waiting"] - until["waiting-ends"]
        return {
            "running": running,
            "waiting": waiting,
            "errored": until["errored"],
            "complete": self.count(now) - running - waiting - until["errored"],
        }


def world(workflows: int, unfinished: int, horizon: float, seed: int) -> list[Truth]:
    """An account in its steady state at second 0, and what comes until `horizon`."""
    chance = random.Random(seed)
    fast_rate = FAST_RATES[unfinished]
    slow = max(0, unfinished - int(fast_rate * FAST_LIFE))
    shares = [1 / (place + 1) for place in range(workflows)]
    whole = sum(shares)
    return [
        _truth(chance, fast_rate * share / whole, slow * share / whole, horizon) for share in shares
    ]


def _truth(chance: random.Random, fast_rate: float, slow: float, horizon: float) -> Truth:
    rows = [
        (created, created + chance.expovariate(1 / FAST_LIFE), False)
        for created in _arrivals(chance, fast_rate, -300.0, horizon)
    ]
    rows += [
        (created, created + chance.expovariate(1 / SLOW_LIFE), True)
        for created in _arrivals(chance, slow / SLOW_LIFE, 0.0, horizon)
    ]
    # Survivors at second 0: of an exponential life, age and what is left are both exponential.
    rows += [
        (-chance.expovariate(1 / SLOW_LIFE), chance.expovariate(1 / SLOW_LIFE), True)
        for _ in range(round(slow))
    ]
    rows.sort()
    return Truth(
        [row[0] for row in rows],
        [row[1] for row in rows],
        bytearray(row[2] for row in rows),
        bytearray(chance.random() < ERRED_SHARE for _ in rows),
    )


def _arrivals(chance: random.Random, rate: float, start: float, end: float) -> list[float]:
    """A Poisson stream: the instants of arrivals."""
    instants: list[float] = []
    now = start
    while rate > 0:
        now += chance.expovariate(rate)
        if now >= end:
            break
        instants.append(now)
    return instants
