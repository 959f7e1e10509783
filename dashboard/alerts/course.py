"""Pure: how an alert goes on in time, the same for what happens now and for a backtest."""

from __future__ import annotations

from datetime import datetime, timedelta

#: A condition that is gone for so long is over; one that comes back before is the same incident.
GONE_FOR = timedelta(minutes=10)
#: An incident that goes on is told of again at most so often.
UPDATE_EVERY = timedelta(minutes=15)
#: And only when it has become worse by this factor.
WORSE = 2


def is_over(fired_at: datetime, now: datetime) -> bool:
    """Whether what was last seen at `fired_at` is resolved."""
    return now - fired_at >= GONE_FOR


def is_news(value: float, told_value: float, told_at: datetime, now: datetime) -> bool:
    """Whether it has become so much worse since it was last told that it is told again."""
    return now - told_at >= UPDATE_EVERY and value >= WORSE * max(told_value, 1)
