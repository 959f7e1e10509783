"""The bars of one row of the timeline: what its steps did when, in units of the axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import axis
from dashboard.insight.folding import label_of
from dashboard.insight.scale import WIDTH, Scale
from dashboard.insight.segments import Kind, Stretch
from dashboard.insight.view import View

#: An instant step must remain visible and clickable: about 2 pixels.
LEAST_WIDTH = 3.0
#: Bars of a group that are nearer to each other than this are one to an eye, and to a browser.
_JOINS = 1.0


@dataclass(frozen=True, slots=True)
class Segment:
    """One bar from `x`, `width` units wide; `label` is its accessible name. `is_dim`: the filter
    leaves its step out."""

    kind: Kind
    x: float
    width: float
    label: str
    href: str = ""
    is_open: bool = False
    is_timeout: bool = False
    is_dim: bool = False

    @property
    def left(self) -> str:
        return axis.percent(self.x)

    @property
    def span(self) -> str:
        return axis.percent(self.width)

    @property
    def right(self) -> str:
        return axis.percent(self.x + self.width)

    @property
    def is_link(self) -> bool:
        """Gaps are looked at; what a step did is gone to."""
        return bool(self.href) and self.kind not in {Kind.BACKOFF, Kind.PLANNED}


@dataclass(frozen=True, slots=True)
class Canvas:
    """What every row is drawn on: the axis from `origin` to `end`, and how it is looked at."""

    detail: InstanceDetail
    now: datetime
    view: View
    origin: datetime
    end: datetime
    ruler: Scale

    def x(self, moment: datetime) -> float:
        return self.ruler.x((moment - self.origin).total_seconds())

    def shows(self, stretch: Stretch) -> bool:
        return stretch.end >= self.origin and stretch.start <= self.end

    def is_dim(self, step: Step) -> bool:
        return self.view.is_filtered and not self.view.matches(step, self.detail)


@dataclass(slots=True)
class _Run:
    """Bars of one kind in a group that touch each other, drawn as one."""

    first: Step
    stretch: Stretch
    x: float
    right: float
    is_dim: bool
    others: int = 0

    def bar(self, canvas: Canvas) -> Segment:
        label = label_of(self.first)
        if self.others:
            text = _("%(step)s and %(number)s more, %(kind)s") % {
                "step": label,
                "number": f"{self.others:,}",
                "kind": self.stretch.kind.word.lower(),
            }
        else:
            text = f"{label}, {self.stretch.text}"
        return Segment(
            kind=self.stretch.kind,
            x=self.x,
            width=self.right - self.x,
            label=text,
            href=canvas.view.to_step(self.first, canvas.detail),
            is_open=self.stretch.is_open,
            is_timeout=self.stretch.is_timeout,
            is_dim=self.is_dim,
        )


def bars(step: Step, stretches: Iterable[Stretch], canvas: Canvas) -> tuple[Segment, ...]:
    """The bars of one step, none joined."""
    is_dim = canvas.is_dim(step)
    return tuple(
        _Run(step, stretch, *_place(stretch, canvas), is_dim).bar(canvas)
        for stretch in stretches
        if canvas.shows(stretch)
    )


def joined_bars(found: Iterable[tuple[Step, Stretch]], canvas: Canvas) -> tuple[Segment, ...]:
    """The bars of a group of steps: those of one kind that touch are one."""
    runs: list[_Run] = []
    last: dict[tuple[Kind, bool], _Run] = {}
    for step, stretch in sorted(found, key=lambda pair: pair[1].start):
        if not canvas.shows(stretch):
            continue
        (x, right), is_dim = _place(stretch, canvas), canvas.is_dim(step)
        run = last.get((stretch.kind, is_dim))
        if run is None or x > run.right + _JOINS:
            run = last[stretch.kind, is_dim] = _Run(step, stretch, x, right, is_dim)
            runs.append(run)
            continue
        run.right = max(run.right, right)
        run.others += step is not run.first
    return tuple(run.bar(canvas) for run in runs)


def queue_bar(stretch: Stretch, canvas: Canvas) -> Segment:
    """The time before the first step, which leads nowhere."""
    x, right = _place(stretch, canvas)
    is_dim = canvas.view.is_filtered
    text = _("queue, %(doing)s") % {"doing": stretch.text}
    return Segment(stretch.kind, x, right - x, text, is_open=stretch.is_open, is_dim=is_dim)


def _place(stretch: Stretch, canvas: Canvas) -> tuple[float, float]:
    """Its left and right end."""
    left, right = canvas.x(stretch.start), canvas.x(stretch.end)
    width = max(right - left, LEAST_WIDTH)
    left = max(0.0, min(left, WIDTH - width))
    return left, left + width
