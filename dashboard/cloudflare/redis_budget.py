"""The budget of one token in Redis, shared by every process that holds the token.

All decisions are made by one Lua script (`budget.lua`), which Redis runs atomically and, unless a
test brings a clock, by Redis' own time: so no two processes need to agree about anything. While
Redis is away, people go on under a small limit of this process, and background work waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard.cloudflare import budget
from dashboard.cloudflare.budget import TERMS, Lane, Spender
from dashboard.cloudflare.errors import BudgetSpent
from dashboard.cloudflare.ledger import Ledger, Reading
from dashboard.cloudflare.types import RateLimit

logger = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("budget.lua").read_text()
#: A page must not hang on Redis; it answers within a millisecond or not at all.
REDIS_SECONDS = 0.5
#: After no answer, Redis is not asked again for so long.
AWAY_SECONDS = 2.0
#: How long a request may wait for its turn: somebody looks at a page; a sync paces itself.
PERSON_PATIENCE = 3.0
SYNC_PATIENCE = 10.0
#: While Redis is away, per process: this many at once and then so many per second. Three processes
#: stay below the quota with it.
ALONE = budget.Bucket(burst=60.0, rate=1.0)

WHY = {
    "closed": "Cloudflare asked to wait, so nobody here asks it anything now.",
    "used": "The request budget of this token is used up for now.",
    "share": "Background work has used its share of the request budget for now.",
    "away": "The request budget is unknown, because Redis does not answer.",
}


class RedisBudget:
    """A `Gate`. `fingerprint` names the token and is not the token; `share` is a part of 1.

    `clock` gives seconds since 1970 where a test has its own time, `sleep` waits them.
    """

    def __init__(
        self,
        url: str,
        fingerprint: str,
        *,
        share: float,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.share = share
        self._prefix = f"budget:{{{fingerprint}}}"
        self._clock = clock
        self._sleep = sleep
        self._away_until = 0.0
        self._alone = _Alone()
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._script = self._redis.register_script(SCRIPT)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._redis.close()

    def spend(self, lane: Lane, spender: Spender) -> None:
        """As `Gate.spend`."""
        patience = _patience(lane, spender)
        while True:
            why, wait = self._try(lane, spender)
            if not why:
                return
            if wait > patience:
                raise BudgetSpent(f"{WHY[why]} It goes on in {wait:.0f} s.", retry_after=wait)
            self._sleep(wait)
            patience -= max(wait, 0.01)

    def told(self, limit: RateLimit | None, *, closed_for: float | None = None) -> None:
        """As `Gate.told`."""
        quota, window = _policy(limit)
        said: list[float | str] = [
            limit.remaining if limit else "",
            int(limit.reset_seconds * 1000) if limit else "",
            quota or "",
            int(window * 1000) if window else "",
            int(budget.longest(closed_for) * 1000) if closed_for is not None else "",
        ]
        if limit or closed_for is not None:
            self._ask(lambda: self._run("told", *said))

    def read(self) -> Reading | None:
        """What is used and left now; None while Redis does not answer."""
        answer = self._ask(lambda: self._run("read"))
        return None if answer is None else Reading.of(answer, self.share)

    def ledger(self) -> Ledger | None:
        """Who spent what in this window and in the last hour; None while Redis is away."""
        reading = self.read()
        if reading is None:
            return None
        steps, minutes = Ledger.steps(reading), Ledger.minutes(reading)

        def ask() -> list[Any]:
            with self._redis.pipeline(transaction=False) as pipe:
                for start in steps:
                    pipe.hgetall(f"{self._prefix}:by:{start}")
                for start in minutes:
                    pipe.hgetall(f"{self._prefix}:minute:{start}")
                pipe.lrange(f"{self._prefix}:refusals", 0, -1)
                return list(pipe.execute())

        answers = self._ask(ask)
        if answers is None:
            return None
        *counts, refusals = answers
        return Ledger.of(
            reading,
            counts[: len(steps)],
            dict(zip(minutes, counts[len(steps) :], strict=True)),
            refusals,
        )

    def _try(self, lane: Lane, spender: Spender) -> tuple[str, float]:
        """Why the request may not be sent now ("" when it may), and the seconds to wait."""
        terms = TERMS[lane]
        share = self.share if lane.is_background else ""
        asked = (lane.value, spender.value, terms.ceiling, terms.reserve, share, terms.part)
        answer = self._ask(lambda: self._run("spend", *asked))
        if answer is not None:
            why, milliseconds = answer
            return why, milliseconds / 1000
        # Before a page somebody waits; a shell may well be the only thing that runs here.
        if lane.is_background and spender not in {Spender.WEB, Spender.SHELL}:
            return "away", SYNC_PATIENCE + AWAY_SECONDS
        wait = self._alone.spend()
        return ("away", wait) if wait else ("", 0.0)

    def _run(self, verb: str, *said: float | str) -> Any:
        now = int(self._clock() * 1000) if self._clock else ""
        asked = [verb, now, budget.QUOTA, budget.WINDOW * 1000, *said]
        return self._script(keys=[self._prefix], args=asked)

    def _ask(self, ask: Callable[[], Any]) -> Any:
        """Redis' answer, None when it has none: then it is left alone for a moment."""
        if time.monotonic() < self._away_until:
            return None
        try:
            answer = ask()
        except (redis.RedisError, OSError) as error:
            if not self._away_until:
                logger.warning("The request budget is unknown: Redis does not answer (%s).", error)
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None
        if self._away_until:
            logger.warning("The request budget is known again: Redis answers.")
            self._away_until = 0.0
        return answer


class _Alone:
    """A token bucket of this process."""

    def __init__(self) -> None:
        self._level, self._at = ALONE.burst, time.monotonic()
        self._lock = threading.Lock()

    def spend(self) -> float:
        """0 when a request may be sent, else the seconds until one may."""
        with self._lock:
            now = time.monotonic()
            self._level = min(ALONE.burst, self._level + (now - self._at) * ALONE.rate)
            self._at = now
            if self._level < 1:
                return (1 - self._level) / ALONE.rate
            self._level -= 1
            return 0.0


def _patience(lane: Lane, spender: Spender) -> float:
    if not lane.is_background:
        return PERSON_PATIENCE
    # What follows operations, and a page that refreshes itself, ask again in a moment: waiting
    # would only hold a process.
    is_following = lane is Lane.WATCHED and spender in {Spender.OPERATIONS, Spender.WEB}
    return 0.0 if is_following else SYNC_PATIENCE


def _policy(limit: RateLimit | None) -> tuple[int | None, float | None]:
    """The told policy over at most our window: one of an hour gives each window its part."""
    if limit is None or not limit.quota or not limit.window_seconds:
        return None, None
    if limit.window_seconds <= budget.WINDOW:
        return limit.quota, limit.window_seconds
    return max(1, int(limit.quota * budget.WINDOW / limit.window_seconds)), float(budget.WINDOW)
