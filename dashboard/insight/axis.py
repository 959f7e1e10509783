"""The ticks of a time axis. Each piece of it begins with the time of day and counts from there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import dateformat

from dashboard.insight.durations import short, spoken
from dashboard.insight.scale import WIDTH, Piece, Scale

_STEPS = (
    *(n * 10.0**e for e in (-3, -2, -1) for n in (1, 2, 5)),
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(60.0 * n for n in (1, 2, 5, 10, 15, 30)),
    *(3600.0 * n for n in (1, 2, 3, 6, 12)),
    *(86400.0 * n for n in (1, 2, 5, 10, 15, 30, 60, 90, 180, 365)),
)
#: Units between two ticks: about 80 pixels on a wide screen.
_SPACING = 110.0
#: What the time of day at a piece's left end needs.
_CLOCK_ROOM = 100.0
#: The same on a phone.
_PHONE_ROOM = 280.0
#: Before a break, whose own label stands over it.
_BREAK_ROOM = 70.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark; `is_clock` ones tell the time of day. On a phone two kinds yield: `is_minor` ones,
    which stand between others, and `is_tight` ones, whose piece is too narrow there.
    """

    x: float
    label: str
    is_clock: bool = False
    is_minor: bool = False
    is_tight: bool = False

    @property
    def left(self) -> str:
        return percent(self.x)


@dataclass(frozen=True, slots=True)
class Break:
    """A stretch that is not to scale; `label` and `title`: how long it is, roughly and exactly.

    `href` opens it.
    """

    x: float
    width: float
    label: str
    title: str
    href: str = ""

    @property
    def left(self) -> str:
        return percent(self.x)

    @property
    def span(self) -> str:
        return percent(self.width)

    @property
    def right(self) -> str:
        return percent(self.x + self.width)

    @property
    def middle(self) -> str:
        return percent(self.x + self.width / 2)


def percent(units: float) -> str:
    """Units as the percentage that SVG understands; the drawing scales, its text does not."""
    return f"{units / WIDTH * 100:.3f}%"


def ticks(scale: Scale, origin: datetime) -> tuple[Tick, ...]:
    """The ticks of all pieces that are drawn to scale."""
    return tuple(
        tick for piece in scale.pieces if not piece.is_break for tick in _ticks(piece, origin)
    )


def breaks(scale: Scale, href: Callable[[float], str]) -> tuple[Break, ...]:
    """The stretches that are not; `href`: the address that opens the one which starts there."""
    return tuple(
        Break(
            piece.left,
            piece.width,
            _about(piece.seconds),
            spoken(timedelta(seconds=piece.seconds)),
            href(piece.start),
        )
        for piece in scale.pieces
        if piece.is_break
    )


def _about(seconds: float) -> str:
    """The length in one unit, for a place a few characters wide."""
    for size, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{round(seconds / size):,} {name}"
    return f"{round(seconds)} s"


def nice_step(seconds: float, width: float) -> float:
    """The distance of ticks, in seconds: the smallest nice one that leaves room for labels."""
    least = seconds * _SPACING / width if width > 0 else math.inf
    return next((step for step in _STEPS if step >= least), math.inf)


def _ticks(piece: Piece, origin: datetime) -> list[Tick]:
    step = nice_step(piece.seconds, piece.width)
    found, count = [], 1
    is_tight = piece.width < _PHONE_ROOM
    if piece.width >= _CLOCK_ROOM / 2:
        clock = _clock(origin, piece, step)
        found.append(Tick(piece.left, clock, is_clock=True, is_tight=is_tight))
    while step * count <= piece.seconds * (1 + 1e-9):
        x = piece.left + step * count / piece.seconds * piece.width
        label = f"+{short(timedelta(seconds=step * count))}"
        has_room = x - piece.left >= _CLOCK_ROOM and (
            x <= piece.right - _BREAK_ROOM or piece.right > 900
        )
        text = label if has_room else ""
        found.append(Tick(x, text, is_minor=count % 2 == 1, is_tight=is_tight))
        count += 1
    return found


def _clock(origin: datetime, piece: Piece, step: float) -> str:
    try:
        moment = (origin + timedelta(seconds=piece.start)).astimezone(UTC)
    except (OverflowError, ValueError):
        return ""
    if piece.start > 86400 or step >= 86400:
        return dateformat.format(moment, "j M H:i")
    return f"{moment:%H:%M:%S}"
