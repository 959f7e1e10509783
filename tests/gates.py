"""Gates for tests that are about what happens at one, not about how it decides."""

from __future__ import annotations

from dashboard.cloudflare import BudgetSpent, Lane, RateLimit, Spender


class Allowing:
    """Lets so many requests through, and then says that it goes on in 40 s."""

    def __init__(self, requests: int) -> None:
        self.left = requests
        self.lanes: list[Lane] = []
        self.heard: list[tuple[RateLimit | None, float | None]] = []

    def spend(self, lane: Lane, spender: Spender) -> None:
        if self.left == 0:
            raise BudgetSpent("The budget is spent.", retry_after=40)
        self.left -= 1
        self.lanes.append(lane)

    def told(self, limit: RateLimit | None, *, closed_for: float | None = None) -> None:
        self.heard.append((limit, closed_for))
