"""An instance's steps as a waterfall on a time axis, ready to be drawn.

A row per step; many steps of one name share a row. Positions are units of which the axis has 1000
(`scale.py`); what the bars mean is in `segments.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import axis, words
from dashboard.insight.durations import spoken
from dashboard.insight.folding import Fold, folded
from dashboard.insight.scale import WIDTH, Scale, scale
from dashboard.insight.segments import Kind, Stretch, stretches
from dashboard.insight.states import StepState, state_of
from dashboard.insight.step_pages import StepPages
from dashboard.insight.step_rows import step_length, ticks_since

#: More rows than this say nothing to an eye and cost a browser dearly; the table has them all.
MOST_ROWS = 250
#: An instant step must remain visible and clickable: about 2 pixels.
LEAST_WIDTH = 3.0
#: A shorter queue is the engine's own handover, not a wait for a slot.
LEAST_QUEUE = timedelta(milliseconds=100)
#: Characters of a name's end that are never cut: its counter tells steps apart.
_TAIL = 10


@dataclass(frozen=True, slots=True)
class Segment:
    """One bar from `x`, `width` units wide; `label` is its accessible name."""

    kind: Kind
    x: float
    width: float
    label: str
    href: str
    is_open: bool = False
    is_timeout: bool = False

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
        return self.kind not in {Kind.BACKOFF, Kind.PLANNED}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the waterfall; `step_indexes` are the steps it shows."""

    key: str
    name: str
    state: StepState
    segments: tuple[Segment, ...]
    step_indexes: tuple[int, ...] = ()
    href: str = ""
    note: str = ""
    has_failed: bool = False
    length: str = ""
    ticks_since: datetime | None = None

    @property
    def name_head(self) -> str:
        return self.name[:-_TAIL] if len(self.name) > 2 * _TAIL else self.name

    @property
    def name_tail(self) -> str:
        """What stays visible when the name is cut in its middle."""
        return self.name[-_TAIL:] if len(self.name) > 2 * _TAIL else ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """`hidden_steps`: how many steps are only in the table. `now_x` is None once it is over."""

    rows: tuple[Row, ...]
    ticks: tuple[axis.Tick, ...]
    breaks: tuple[axis.Break, ...]
    legend: tuple[Kind, ...]
    origin: datetime
    end: datetime
    now_x: float | None = None
    hidden_steps: int = 0

    @property
    def now_left(self) -> str:
        return "" if self.now_x is None else axis.percent(self.now_x)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row before there is a scale to draw it to."""

    fold: Fold
    stretches: list[tuple[Step, Stretch]]


@dataclass(frozen=True, slots=True)
class _Canvas:
    """What every row is drawn on."""

    detail: InstanceDetail
    now: datetime
    pages: StepPages
    origin: datetime
    ruler: Scale

    def x(self, moment: datetime) -> float:
        return self.ruler.x((moment - self.origin).total_seconds())


def timeline(detail: InstanceDetail, now: datetime, pages: StepPages | None = None) -> Timeline:
    """The waterfall of this instance at `now`; `pages` says where the table shows a step."""
    folds = folded(detail)
    lines = [_Line(fold, _stretches_of(fold, detail, now)) for fold in folds[:MOST_ROWS]]
    queue = _queue(detail, now)
    found = [stretch for line in lines for _, stretch in line.stretches] + queue
    is_live = not detail.status.is_finished
    origin, end = _bounds(detail, found, now, is_live=is_live)
    ruler = _ruler(found, origin, end)
    canvas = _Canvas(detail, now, pages or StepPages(len(detail.steps)), origin, ruler)
    rows = [*_queue_row(queue, canvas), *(_row(line, canvas) for line in lines)]
    return Timeline(
        rows=tuple(rows),
        ticks=axis.ticks(ruler, origin),
        breaks=axis.breaks(ruler),
        legend=_legend(rows),
        origin=origin,
        end=end,
        now_x=canvas.x(now) if is_live else None,
        hidden_steps=sum(len(fold.steps) for fold in folds[MOST_ROWS:]),
    )


def _stretches_of(fold: Fold, detail: InstanceDetail, now: datetime) -> list[tuple[Step, Stretch]]:
    return [(step, stretch) for step in fold.steps for stretch in stretches(step, detail, now)]


def _queue(detail: InstanceDetail, now: datetime) -> list[Stretch]:
    """The time before it began; the local engine has none."""
    if detail.queued is None:
        return []
    is_open = detail.start is None and not detail.status.is_finished
    begun = detail.start or (now if is_open else detail.end or detail.queued)
    text = f"waited for a free slot from {words.instant(detail.queued)}"
    end = max(detail.queued, begun)
    return [Stretch(Kind.QUEUED, detail.queued, end, text, is_open=is_open)]


def _bounds(
    detail: InstanceDetail, found: list[Stretch], now: datetime, *, is_live: bool
) -> tuple[datetime, datetime]:
    starts = [s.start for s in found] + [t for t in (detail.queued, detail.start) if t]
    ends = [s.end for s in found] + [t for t in (detail.start, detail.end) if t]
    if is_live or not starts:
        ends.append(now)
    origin = min(starts, default=now)
    return origin, max([origin, *ends])


def _ruler(found: list[Stretch], origin: datetime, end: datetime) -> Scale:
    def seconds(stretch: Stretch) -> tuple[float, float]:
        return (stretch.start - origin).total_seconds(), (stretch.end - origin).total_seconds()

    return scale(
        (end - origin).total_seconds(),
        [seconds(s) for s in found if s.kind.is_work],
        [seconds(s) for s in found if s.kind is Kind.BACKOFF],
    )


def _queue_row(queue: list[Stretch], canvas: _Canvas) -> list[Row]:
    if not queue or not (queue[0].is_open or queue[0].end - queue[0].start >= LEAST_QUEUE):
        return []
    state = StepState.QUEUED if queue[0].is_open else StepState.DONE
    segments = tuple(_segment(stretch, "queue", "", canvas) for stretch in queue)
    return [Row("queue", "queued", state, segments, length=spoken(queue[0].end - queue[0].start))]


def _row(line: _Line, canvas: _Canvas) -> Row:
    fold, first = line.fold, line.fold.steps[0]
    segments = [
        _segment(stretch, fold.label_of(step), canvas.pages.href(step.index), canvas)
        for step, stretch in line.stretches
    ]
    if fold.is_group:
        segments = _thinned(segments)
    state = StepState.DONE if fold.is_group else state_of(first, canvas.detail)
    return Row(
        key=str(first.index),
        name=fold.name,
        state=state,
        segments=tuple(segments),
        step_indexes=tuple(step.index for step in fold.steps),
        href=canvas.pages.href(first.index),
        note=fold.note if segments or fold.is_group else "no times are known",
        has_failed=fold.failed > 0,
        length="" if fold.is_group else step_length(first, canvas.detail, canvas.now),
        ticks_since=None if fold.is_group else ticks_since(first, canvas.detail),
    )


def _segment(stretch: Stretch, name: str, href: str, canvas: _Canvas) -> Segment:
    left, right = canvas.x(stretch.start), canvas.x(stretch.end)
    width = max(right - left, LEAST_WIDTH)
    return Segment(
        kind=stretch.kind,
        x=max(0.0, min(left, WIDTH - width)),
        width=width,
        label=f"{name}, {stretch.text}",
        href=href,
        is_open=stretch.is_open,
        is_timeout=stretch.is_timeout,
    )


def _thinned(segments: list[Segment]) -> list[Segment]:
    """Of bars that would lie on one another only the first, so that a row stays a few hundred."""
    kept: list[Segment] = []
    reached: dict[Kind, float] = {}
    for segment in sorted(segments, key=lambda s: (s.x, -s.width)):
        if segment.x + segment.width > reached.get(segment.kind, -1.0) + 1.0:
            kept.append(segment)
            reached[segment.kind] = segment.x + segment.width
    return kept


def _legend(rows: list[Row]) -> tuple[Kind, ...]:
    drawn = {segment.kind for row in rows for segment in row.segments}
    return tuple(kind for kind in Kind if kind in drawn)
