"""Who may ask Cloudflare how much: one budget per token, in lanes of a person's need.

Cloudflare allows a user 1,200 requests in 5 minutes and then refuses everything for 5 more
(<https://developers.cloudflare.com/fundamentals/api/reference/limits/>), the person's own dashboard
included. So each request passes a `Gate` just before it is sent. The policy here is pure; the one
gate that all processes share is `redis_budget.RedisBudget`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dashboard.cloudflare.types import RateLimit

#: What Cloudflare documents; its `Ratelimit-Policy` header, where it comes, says it better.
QUOTA = 1_200
WINDOW = 300
#: A 429 that does not say for how long.
CLOSED_SECONDS = 60.0
#: Nobody is believed who says longer: a wrong header must not end the dashboard.
LONGEST_CLOSED = 3_600.0


class Lane(StrEnum):
    """Why a request is made, the most needed first."""

    PERSON = "person"
    WATCHED = "watched"
    BULK = "bulk"
    FRESHNESS = "freshness"
    BACKFILL = "backfill"

    @property
    def is_background(self) -> bool:
        """True when nobody is waiting for the answer."""
        return self is not Lane.PERSON


class Spender(StrEnum):
    """Which kind of process, or work, makes a request: for the page that says who spent what."""

    WEB = "web"
    WORKER = "worker"
    OPERATIONS = "operations"
    SHELL = "shell"


class Gate(Protocol):
    """What each request passes just before it is sent. Threads share it."""

    def spend(self, lane: Lane, spender: Spender) -> None:
        """Takes one request from the budget, waiting a moment if that helps.

        Raises BudgetSpent, and then nothing may be sent.
        """

    def told(self, limit: RateLimit | None, *, closed_for: float | None = None) -> None:
        """What an answer said: its headers, and after a 429 the seconds to wait."""


@dataclass(frozen=True)
class Terms:
    """What a lane may have, each as a part of the quota.

    `ceiling`: it is refused once all lanes together have used so much of the window, or Cloudflare
    says that so much is used. `reserve`: the part of the background's burst that it leaves alone.
    `part`: how much of the background's share it may have, however little the others want.
    """

    ceiling: float
    reserve: float
    part: float = 1.0


#: Each lane leaves room for those above it. The last 5 % are nobody's: requests arrive at
#: Cloudflare in another order and at another time than they left. Background work never touches
#: the last 20 %, so that a person's own Cloudflare dashboard goes on. Operations on many take what
#: they can get for hours: a quarter is left to those below them, or all lists would grow old.
TERMS = {
    Lane.PERSON: Terms(ceiling=0.95, reserve=0.0),
    Lane.WATCHED: Terms(ceiling=0.80, reserve=0.0),
    Lane.BULK: Terms(ceiling=0.78, reserve=1 / 12, part=3 / 4),
    Lane.FRESHNESS: Terms(ceiling=0.75, reserve=1 / 6),
    Lane.BACKFILL: Terms(ceiling=0.65, reserve=1 / 3),
}
LARGEST_SHARE = TERMS[Lane.WATCHED].ceiling


@dataclass(frozen=True)
class Bucket:
    """The background's token bucket: `burst` at once, then `rate` per second.

    All background lanes drink from it, so no window holds more of them than `share` of the quota:
    burst + rate x window.
    """

    burst: float
    rate: float


def bucket(share: float, *, quota: int = QUOTA, window: float = WINDOW) -> Bucket:
    """The bucket that gives background work this share (0 to 1) of the quota of each window.

    A quota so small that a share of it is less than four requests still gets a request at a time.
    """
    allowed = share * quota
    burst = max(2.0, min(quota / 10, allowed / 2))
    return Bucket(burst, max(allowed - burst, allowed / 4) / window)


def part_of(whole: Bucket, lane: Lane) -> Bucket:
    """What a lane alone may take of the background's bucket."""
    part = TERMS[lane].part
    return Bucket(max(1.0, part * whole.burst), part * whole.rate)


def longest(seconds: float | None) -> float:
    """How long a 429 closes the gate for everybody."""
    return CLOSED_SECONDS if seconds is None else min(max(seconds, 0.0), LONGEST_CLOSED)
