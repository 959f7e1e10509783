"""Pure: how an alert goes on in time, the same for what happens now and for a backtest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from dashboard.alerts.kinds.base import Firing

#: A condition that is gone for so long is over; one that comes back before is the same incident.
GONE_FOR = timedelta(minutes=10)
#: An incident that goes on is told of again at most so often.
UPDATE_EVERY = timedelta(minutes=15)
#: And only when it has become worse by this factor.
WORSE = 2
#: A rule opens so many incidents of single things; the rest is one more, so that no pager drowns.
MOST_AT_ONCE = 20
OTHERS = "others"


def is_over(fired_at: datetime, now: datetime) -> bool:
    """Whether what was last seen at `fired_at` is resolved."""
    return now - fired_at >= GONE_FOR


def is_news(value: float, told_value: float, told_at: datetime, now: datetime) -> bool:
    """Whether it has become so much worse since it was last told that it is told again."""
    return now - told_at >= UPDATE_EVERY and value >= WORSE * max(told_value, 1)


def bounded(found: Collection[Firing], going: Collection[str]) -> list[Firing]:
    """What is alerted of by itself: what already is, by the keys in `going`, then the worst. Of all
    others together there is one alert."""
    firings = sorted(found, key=lambda firing: (firing.key not in going, -firing.value))
    alone, others = firings[:MOST_AT_ONCE], firings[MOST_AT_ONCE:]
    if not others:
        return alone
    names = ", ".join(firing.subject for firing in others[:3])
    sentence = f"The same of {len(others):,} more, such as {names}."
    return [*alone, Firing(OTHERS, f"{len(others):,} more", sentence, float(len(others)))]
