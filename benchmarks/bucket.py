"""The simulated clock, which only requests and waiting move, and the budget they come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.cloudflare.budget import TERMS, Lane

BURST = 60.0
#: What the lane of freshness leaves to what is urgent.
RESERVE = BURST * TERMS[Lane.FRESHNESS].reserve
#: Four connections of 150 ms: no faster than this, whatever the bucket holds.
ANSWER_SECONDS = 0.15
REQUEST_SECONDS = ANSWER_SECONDS / 4


@dataclass
class Bucket:
    """A token bucket of `rate` requests per second. `sent_at`: when each request was sent."""

    rate: float
    now: float = 0.0
    tokens: float = BURST
    filled_at: float = 0.0
    sent_at: list[float] = field(default_factory=list)

    def spend(self, *, is_urgent: bool = False) -> None:
        """Waits until a request may be sent, and sends it."""
        self._fill()
        needed = 1 if is_urgent else 1 + RESERVE
        if self.tokens < needed:
            self.now += (needed - self.tokens) / self.rate
            self._fill()
        self.tokens -= 1
        self.sent_at.append(self.now)
        self.now += REQUEST_SECONDS

    def _fill(self) -> None:
        self.tokens = min(BURST, self.tokens + (self.now - self.filled_at) * self.rate)
        self.filled_at = self.now

    def over_budget(self, window: float = 300.0) -> int:
        """Requests that some window held beyond what the bucket allows in it."""
        allowed = int(BURST + self.rate * window + 1)
        first = worst = 0
        for last, instant in enumerate(self.sent_at):
            while self.sent_at[first] <= instant - window:
                first += 1
            worst = max(worst, last - first + 1 - allowed)
        return max(0, worst)
