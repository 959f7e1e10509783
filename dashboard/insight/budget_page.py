"""Who spent what of a request budget: a table by lane and spender, and an hour of bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.budget import Lane, Spender
from dashboard.cloudflare.ledger import Ledger, Reading
from dashboard.insight.durations import short

LANE_WORDS = {
    Lane.PERSON: (gettext_noop("Person"), gettext_noop("somebody looks or acts")),
    Lane.WATCHED: (
        gettext_noop("Watched"),
        gettext_noop("operations are followed, errors are read"),
    ),
    Lane.BULK: (gettext_noop("Bulk"), gettext_noop("operations on many instances")),
    Lane.FRESHNESS: (gettext_noop("Freshness"), gettext_noop("lists are kept up to date")),
    Lane.BACKFILL: (gettext_noop("Back-fill"), gettext_noop("history is copied")),
}
SPENDER_WORDS = {
    Spender.WEB: gettext_noop("Pages"),
    Spender.WORKER: gettext_noop("Workers"),
    Spender.OPERATIONS: gettext_noop("Operations"),
    Spender.SHELL: gettext_noop("Shell"),
}
#: The chart is drawn on 60 × 100 units, and shows at least so many requests in a minute.
LEAST_TOP = 20


@dataclass(frozen=True)
class Meter:
    """What the meter on each page says; `reading` is None while Redis does not answer."""

    names: str
    reading: Reading | None
    now: datetime

    @property
    def resets_at(self) -> datetime | None:
        """When the whole quota is there again; None when it is now."""
        if self.reading is None or self.reading.reset_in <= 0:
            return None
        return self.now + timedelta(seconds=self.reading.reset_in)

    @property
    def window(self) -> str:
        """The length of the window, in words: "5 m"."""
        return short(timedelta(seconds=self.reading.window)) if self.reading else ""

    @property
    def told_until(self) -> datetime | None:
        """Until when Cloudflare's own count holds."""
        if self.reading is None or self.reading.told_for is None:
            return None
        return self.now + timedelta(seconds=self.reading.told_for)

    @property
    def is_closed(self) -> bool:
        return self.reading is not None and self.reading.closed_for > 0

    @property
    def is_told(self) -> bool:
        """True when Cloudflare's own count is the higher one, and so decides."""
        return self.reading is not None and self.reading.used > self.reading.spent


@dataclass(frozen=True)
class LaneRow:
    """One lane: its requests by spender, in the order of the columns."""

    lane: Lane
    counts: tuple[int, ...]

    @property
    def word(self) -> str:
        return _(LANE_WORDS[self.lane][0])

    @property
    def why(self) -> str:
        return _(LANE_WORDS[self.lane][1])

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True)
class Bar:
    """One lane's part of a minute, in units of the chart."""

    lane: Lane
    x: float
    y: float
    height: float
    title: str


@dataclass(frozen=True)
class Chart:
    """An hour by minute. `top`: the requests in a minute that its full height stands for."""

    bars: tuple[Bar, ...]
    top: int
    total: int
    since: datetime


@dataclass(frozen=True)
class BudgetPage:
    """Everything the page says of one budget."""

    meter: Meter
    ledger: Ledger | None

    @property
    def lanes(self) -> list[LaneRow]:
        if self.ledger is None:
            return []
        spent = self.ledger.window
        return [
            LaneRow(lane, tuple(spent.get((lane.value, one.value), 0) for one in Spender))
            for lane in Lane
        ]

    @property
    def sums(self) -> list[int]:
        """By spender, and in all."""
        by_spender = [
            sum(counts) for counts in zip(*(row.counts for row in self.lanes), strict=True)
        ]
        return [*by_spender, sum(by_spender)]

    @property
    def spenders(self) -> list[str]:
        return [_(SPENDER_WORDS[one]) for one in Spender]

    @property
    def chart(self) -> Chart | None:
        if self.ledger is None:
            return None
        minutes = [(moment, _by_lane(counts)) for moment, counts in self.ledger.hour.items()]
        totals = [sum(lanes.values()) for _moment, lanes in minutes]
        top = max(LEAST_TOP, *totals)
        bars = [
            bar
            for x, (moment, lanes) in enumerate(minutes)
            for bar in _bars(x, moment, lanes, 100 / top)
        ]
        return Chart(tuple(bars), top, sum(totals), minutes[0][0])


def _by_lane(counts: dict[tuple[str, str], int]) -> dict[Lane, int]:
    lanes = {
        lane: sum(count for (name, _spender), count in counts.items() if name == lane)
        for lane in Lane
    }
    return {lane: count for lane, count in lanes.items() if count}


def _bars(x: int, moment: datetime, lanes: dict[Lane, int], scale: float) -> list[Bar]:
    """The lanes of one minute upon each other, people at the bottom."""
    bars, y = [], 100.0
    for lane, count in lanes.items():
        y -= count * scale
        title = _("%(time)s UTC: %(number)s %(lane)s") % {
            "time": f"{moment:%H:%M}",
            "number": f"{count:,}",
            "lane": _(LANE_WORDS[lane][0]).lower(),
        }
        bars.append(Bar(lane, x + 0.1, round(y, 2), round(count * scale, 2), title))
    return bars
