"""What a rule would have done: the same evaluation, at moments of the history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.alerts.course import bounded, is_over
from dashboard.alerts.history import History
from dashboard.alerts.kinds.base import Firing, Kind

SPAN = timedelta(days=30)
STEP = timedelta(minutes=5)
#: Looking at one workflow at one moment; so many take about a second.
MOST_LOOKS = 100_000
#: A page lists so many alerts of the past.
SHOWN = 50


@dataclass
class Episode:
    """An alert that would have been. `fired_at`: when it was last seen so; `ended_at` is None for
    one that would still be open."""

    firing: Firing
    began_at: datetime
    fired_at: datetime
    ended_at: datetime | None = None

    @property
    def lasted(self) -> timedelta | None:
        return self.ended_at - self.began_at if self.ended_at else None


@dataclass(frozen=True)
class Backtest:
    """Newest first. `since`: from when on there was history to look at; None when there is none."""

    episodes: list[Episode]
    since: datetime | None
    until: datetime

    @property
    def span(self) -> timedelta | None:
        """How much of the history was looked at."""
        return self.until - self.since if self.since else None

    @property
    def shown(self) -> list[Episode]:
        return self.episodes[:SHOWN]

    @property
    def more(self) -> int:
        """How many there are besides those that are shown."""
        return len(self.episodes[SHOWN:])


def span(workflows: int) -> timedelta:
    """How far back a backtest over so many workflows looks."""
    return min(SPAN, MOST_LOOKS // max(workflows, 1) * STEP)


def backtest(kind: Kind, history: History, now: datetime) -> Backtest:
    """Every alert that the rule would have opened, of what is held of the last days."""
    if history.since is None:
        return Backtest([], None, now)
    since = max(history.since, now - span(len(history.workflows)))
    looks = (now - since) // STEP
    done: list[Episode] = []
    going: dict[str, Episode] = {}
    for at in (now - look * STEP for look in range(looks, -1, -1)):
        for firing in bounded(kind.evaluate(history, at), going):
            if firing.key not in going:
                going[firing.key] = Episode(firing, at, at)
                done.append(going[firing.key])
            going[firing.key].fired_at = at
        for key, episode in list(going.items()):
            is_seen = not history.is_blind(episode.firing.workflow, at)
            if is_seen and is_over(episode.fired_at, at):
                episode.ended_at = episode.fired_at
                del going[key]
    return Backtest(done[::-1], since, now)
