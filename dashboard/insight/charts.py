"""Pure: numbers over time as shapes of an SVG. Across in percent of its width, down in pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import dateformat
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dashboard.insight.durations import short

HEIGHT = 140
#: Part of an interval that its bar leaves free.
GAP = 0.2
#: The durations that a scale is marked with, in ms.
MARKS = (
    1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 6 * 3_600_000, 86_400_000,
    7 * 86_400_000, 30 * 86_400_000,
)  # fmt: skip
LABELS = 6


@dataclass(frozen=True)
class Bar:
    """A rectangle; `kind` says what it stands for, `title` the same in words."""

    x: float
    width: float
    y: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True)
class Mark:
    """A label on an axis: `at` is in percent across, or in pixels down."""

    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    """`down`: marks of the vertical axis, `across`: of the time."""

    bars: list[Bar]
    down: list[Mark]
    across: list[Mark]
    height: int = HEIGHT

    @property
    def rectangles(self) -> SafeString:
        """The bars, as an SVG has them: there are hundreds."""
        return format_html_join(
            "",
            '<rect data-status="{}" x="{}%" width="{}%" y="{}" height="{}">'
            "<title>{}</title></rect>",
            ((bar.kind, bar.x, bar.width, bar.y, bar.height, bar.title) for bar in self.bars),
        )


def stacked(
    columns: Sequence[tuple[datetime, Mapping[str, int]]], kinds: Sequence[str], step: timedelta
) -> Chart:
    """One column for each moment, its kinds on top of each other, the first kind lowest."""
    largest = max((sum(counts.values()) for _moment, counts in columns), default=0)
    top = _round_up(largest)
    bars, width = [], 100 / max(1, len(columns))
    for place, (_moment, counts) in enumerate(columns):
        base = float(HEIGHT)
        for kind in kinds:
            if number := counts.get(kind, 0):
                # What is there at all is seen.
                height = max(1.5, number / top * HEIGHT)
                base -= height
                span = place * width, width
                title = f"{number:,} {kind}"
                bars.append(_bar(span, max(0.0, base), height, kind, title))
    down = [Mark(0, f"{top:,}"), Mark(HEIGHT / 2, f"{top / 2:,g}")] if largest else []
    return Chart(bars, down, _times([moment for moment, _counts in columns], step))


def sparkline(numbers: Sequence[int], width: int, height: int) -> str:
    """One bar for each number, as high as its part of the largest: the path of an SVG, in pixels.
    The words stand beside it."""
    largest, step = max(numbers, default=0), width // max(1, len(numbers))
    return "".join(
        f"M{place * step} {height}v-{max(1.5, number / largest * height):.1f}h{step - 1}V{height}z"
        for place, number in enumerate(numbers)
        if number
    )


def ranges(columns: Sequence[tuple[datetime, int | None, int | None]], step: timedelta) -> Chart:
    """For each moment a bar from one duration to a longer one, in ms, on a logarithmic scale."""
    known = [max(1, ms) for _moment, *both in columns for ms in both if ms is not None]
    if not known:
        return Chart([], [], _times([moment for moment, *_both in columns], step))
    low = max((mark for mark in MARKS if mark <= min(known)), default=1)
    high = min((mark for mark in MARKS if mark > max(known)), default=2 * max(known))

    def y(milliseconds: int) -> float:
        return HEIGHT * (1 - math.log(max(1, milliseconds) / low) / math.log(high / low))

    bars, width = [], 100 / len(columns)
    for place, (_moment, shorter, longer) in enumerate(columns):
        if shorter is not None and longer is not None:
            span = place * width, width
            words = _("p50 %(median)s, p95 %(p95)s") % {
                "median": _spoken(shorter),
                "p95": _spoken(longer),
            }
            bars.append(_bar(span, y(longer), y(shorter) - y(longer) + 2, "range", words))
            bars.append(_bar(span, y(shorter), 2, "middle", words))
    marks = [mark for mark in MARKS if low <= mark <= high]
    return Chart(
        bars,
        [Mark(round(y(mark), 1), _spoken(mark)) for mark in marks],
        _times([moment for moment, *_both in columns], step),
    )


def _bar(span: tuple[float, float], y: float, height: float, kind: str, title: str) -> Bar:
    """`span`: where its interval begins, and how wide that is."""
    x, width = span[0] + span[1] * GAP / 2, span[1] * (1 - GAP)
    return Bar(round(x, 3), round(width, 3), round(y, 1), round(height, 1), kind, title)


def _round_up(number: int) -> int:
    """The next of 2, 4, 10, 20, 40, 100 …: half of each is a whole number."""
    top = 2
    while top < number:
        top = int(top * (2.5 if str(top)[0] == "4" else 2))
    return top


def _times(moments: Sequence[datetime], step: timedelta) -> list[Mark]:
    every = max(1, -(-len(moments) // LABELS))
    form = "H:i" if step < timedelta(hours=6) else "d M"
    return [
        Mark(round(100 * place / len(moments), 3), dateformat.format(moment, form))
        for place, moment in enumerate(moments)
        if place % every == 0
    ]


def _spoken(milliseconds: int) -> str:
    return short(timedelta(milliseconds=milliseconds))
