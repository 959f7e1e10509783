"""Where a moment stands on the time axis: true to scale, but for long idle stretches.

A workflow that works for a second and sleeps for a month would be two specks. Where idle time
crushes the rest, the idle stretch is drawn as a break: of fixed width, labelled with its length.
Everything here is in seconds since the axis began, and in units of which the axis has 1000.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

WIDTH = 1000.0
#: Room behind the last bar, so that its edge and the last label are not cut.
PADDING = 40.0
BREAK_WIDTH = 90.0
MOST_BREAKS = 4
#: Shorter idle time is left as it is: a reader expects seconds to look like seconds.
LEAST_BREAK = 60.0

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the axis: seconds from `start` to `end`, drawn from `left` to `right`."""

    start: float
    end: float
    left: float
    right: float
    is_break: bool = False

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def width(self) -> float:
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Scale:
    """The whole axis; `x()` is where a second stands on it, always within 0..1000."""

    pieces: tuple[Piece, ...]
    starts: tuple[float, ...]

    def x(self, second: float) -> float:
        piece = self.pieces[max(0, bisect_right(self.starts, second) - 1)]
        if second <= piece.start:
            return piece.left
        if second >= piece.end:
            return piece.right
        return piece.left + (second - piece.start) / piece.seconds * piece.width


def scale(
    length: float,
    busy: Iterable[Interval],
    pauses: Iterable[Interval] = (),
    is_opened: Callable[[float], bool] = lambda start: False,
) -> Scale:
    """An axis of `length` seconds. `busy`: when something works; `pauses`: back-offs before a
    retry, whose growth is worth seeing and which are cut out more reluctantly than sleeps.
    `is_opened`: whether a reader wants the idle stretch that starts there drawn to scale.
    """
    length = length if math.isfinite(length) and length > 0 else 0.001
    gaps = _breaks(length, merged(busy), merged(pauses))
    breaks = [gap for gap in gaps if not is_opened(gap[0])]
    drawn = length - sum(end - start for start, end in breaks)
    width = WIDTH - PADDING - BREAK_WIDTH * len(breaks)
    pieces: list[Piece] = []
    second = left = 0.0
    for start, end in [*breaks, (length, length)]:
        if start > second:
            right = left + (start - second) / drawn * width
            pieces.append(Piece(second, start, left, min(right, WIDTH)))
            left = right
        if end > start:
            pieces.append(Piece(start, end, left, left + BREAK_WIDTH, is_break=True))
            left += BREAK_WIDTH
        second = end
    return Scale(tuple(pieces), tuple(piece.start for piece in pieces))


def _breaks(length: float, busy: list[Interval], pauses: list[Interval]) -> list[Interval]:
    """The stretches to cut out, as long as what is idle crushes what is not."""
    idle = _complement(merged([*busy, *pauses]), length)
    waiting = _complement(merged([*busy, *idle]), length)
    candidates = [(start, end, 0.2) for start, end in idle]
    candidates += [(start, end, 0.7) for start, end in waiting]
    candidates.sort(key=lambda gap: gap[0] - gap[1])
    chosen: list[Interval] = []
    left, idle_left = length, sum(end - start for start, end in idle)
    for start, end, least_share in candidates:
        gap = end - start
        if gap < LEAST_BREAK or len(chosen) == MOST_BREAKS:
            break
        is_idle = least_share == 0.2
        crushes = gap > 0.6 * left or (is_idle and idle_left > 0.6 * left)
        # Something must remain to be drawn to scale.
        if not crushes or gap < least_share * left or left - gap <= length * 1e-9:
            continue
        chosen.append((start, end))
        left -= gap
        idle_left -= gap if is_idle else 0.0
    return sorted(chosen)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals in order, those that touch joined."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _complement(intervals: list[Interval], length: float) -> list[Interval]:
    gaps, second = [], 0.0
    for start, end in intervals:
        if start > second:
            gaps.append((second, min(start, length)))
        second = max(second, end)
    if second < length:
        gaps.append((second, length))
    return [(start, end) for start, end in gaps if end > start]
