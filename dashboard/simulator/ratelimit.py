"""The limit of requests per token, with the headers that announce it."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import SECOND
from .errors import Refusal
from .messages import Response, refuse

WINDOW = 300


@dataclass
class _Window:
    began: int
    used: int = 0
    blocked_until: int = 0


class RateLimit:
    """`quota` requests in each `window` of seconds per token, and as long a block once that is
    passed; a quota of 0 switches it off."""

    def __init__(self, quota: int = 1_200, *, window: int = WINDOW) -> None:
        self.quota, self.window = quota, window
        self._windows: dict[str, _Window] = {}

    def spend(self, who: str, now: int) -> Response | None:
        """Count a request; the 429 to give instead of an answer when too many came."""
        if not self.quota:
            return None
        window = self._window(who, now)
        if now < window.blocked_until:
            return self._refused(window.blocked_until - now)
        window.used += 1
        if window.used > self.quota:
            window.blocked_until = now + self.window * SECOND
            return self._refused(self.window * SECOND)
        return None

    def headers(self, who: str, now: int) -> dict[str, str]:
        """What is left (`r`) and for how many seconds (`t`), and the policy."""
        if not self.quota:
            return {}
        window = self._window(who, now)
        left = max(0, self.quota - window.used)
        seconds = -(-(window.began + self.window * SECOND - now) // SECOND)
        return {
            "ratelimit": f'"default";r={left};t={seconds}',
            "ratelimit-policy": f'"default";q={self.quota};w={self.window}',
        }

    def _window(self, who: str, now: int) -> _Window:
        window = self._windows.setdefault(who, _Window(now))
        over = now >= window.began + self.window * SECOND and now >= window.blocked_until
        if over:
            window = self._windows[who] = _Window(now)
        return window

    def _refused(self, left: int) -> Response:
        response = refuse(
            Refusal(429, 971, "Please wait and consider throttling your request speed")
        )
        response.headers["retry-after"] = str(-(-left // SECOND))
        return response
