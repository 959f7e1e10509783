"""An instance's steps as a waterfall on a time axis, ready to be drawn.

A row per step; many steps of one name share a row. Positions are units of which the axis has 1000
(`scale.py`); what the bars mean is in `segments.py`, how they are placed in `bars.py`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight import axis, words
from dashboard.insight.bars import Canvas, Segment, bars, joined_bars, queue_bar
from dashboard.insight.durations import spoken
from dashboard.insight.folding import Fold, folded
from dashboard.insight.scale import Scale, scale
from dashboard.insight.segments import Kind, Stretch, stretches
from dashboard.insight.states import StepState, state_of
from dashboard.insight.step_rows import step_length, ticks_since
from dashboard.insight.view import MORE_MEMBERS, View

#: More rows than this say nothing to an eye and cost a browser dearly; the table has them all.
MOST_ROWS = 120
#: A shorter queue is the engine's own handover, not a wait for a slot.
LEAST_QUEUE = timedelta(milliseconds=100)
#: Characters of a name's end that are never cut: its counter tells steps apart.
_TAIL = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the waterfall; `step_indexes` are the steps it shows. `more_href` shows more
    members of a group that is unfolded, `hidden` tells how many there are."""

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
    is_group: bool = False
    is_member: bool = False
    is_unfolded: bool = False
    is_dim: bool = False
    hidden: int = 0
    more_href: str = ""

    @property
    def name_head(self) -> str:
        return self.name[:-_TAIL] if len(self.name) > 2 * _TAIL else self.name

    @property
    def name_tail(self) -> str:
        """What stays visible when the name is cut in its middle."""
        return self.name[-_TAIL:] if len(self.name) > 2 * _TAIL else ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """`hidden_steps`: how many steps are only in the table; `outside_steps`: how many were at work
    in no part of the stretch of time that is looked at. `now_x` is None where now is not in it.
    """

    rows: tuple[Row, ...]
    ticks: tuple[axis.Tick, ...]
    breaks: tuple[axis.Break, ...]
    legend: tuple[Kind, ...]
    origin: datetime
    end: datetime
    pieces: str
    now_x: float | None = None
    hidden_steps: int = 0
    outside_steps: int = 0

    @property
    def now_left(self) -> str:
        return "" if self.now_x is None else axis.percent(self.now_x)


@dataclass(frozen=True, slots=True)
class _Line:
    """A row before there is a scale to draw it to."""

    fold: Fold
    stretches: list[tuple[Step, Stretch]]


def timeline(detail: InstanceDetail, now: datetime, view: View | None = None) -> Timeline:
    """The waterfall of this instance at `now`, looked at as `view` says."""
    view = view or View()
    steps = [step for step in detail.steps if _touches(step, view, now)]
    folds = folded(steps, detail, view)
    drawn = _most_telling(folds, detail, view)
    lines = [_Line(fold, _stretches_of(fold, detail, now)) for fold in drawn]
    queue = _queue(detail, now)
    canvas = _canvas(
        [s for line in lines for _step, s in line.stretches] + queue, detail, now, view
    )
    rows = [*_queue_row(queue, canvas), *(_row(line, canvas) for line in lines)]
    is_now_shown = not detail.status.is_finished and canvas.origin <= now <= canvas.end
    return Timeline(
        rows=tuple(rows),
        ticks=axis.ticks(canvas.ruler, canvas.origin),
        breaks=axis.breaks(canvas.ruler, lambda start: view.opening(_second(canvas, start))),
        legend=_legend(rows),
        origin=canvas.origin,
        end=canvas.end,
        pieces=_pieces(canvas),
        now_x=canvas.x(now) if is_now_shown else None,
        hidden_steps=_not_drawn(steps, drawn),
        outside_steps=len(detail.steps) - len(steps),
    )


def _touches(step: Step, view: View, now: datetime) -> bool:
    """Whether the step was at work in the stretch of time that is looked at."""
    if not view.is_zoomed:
        return True
    times = [t for a in step.attempts for t in (a.start, a.end) if t]
    times += [t for t in (step.start, step.end) if t]
    if not times:
        return False
    end = max([*times, now]) if step.is_unfinished else max(times)
    return (view.until is None or min(times) <= view.until) and (
        view.since is None or end >= view.since
    )


def _most_telling(folds: list[Fold], detail: InstanceDetail, view: View) -> list[Fold]:
    """As many rows as are drawn, in their order; what the filter leaves, and problems, go first."""
    if len(folds) <= MOST_ROWS:
        return folds

    def rank(place: int) -> tuple[bool, bool, int]:
        fold = folds[place]
        state = state_of(fold.steps[0], detail)
        is_left = not view.is_filtered or any(view.matches(s, detail) for s in fold.steps)
        is_telling = fold.is_group or fold.is_member or state.is_problem or state.is_open
        return (not is_left, not is_telling, place)

    chosen = sorted(sorted(range(len(folds)), key=rank)[:MOST_ROWS])
    return [folds[place] for place in chosen]


def _not_drawn(steps: list[Step], drawn: list[Fold]) -> int:
    return len(steps) - len({step.index for fold in drawn for step in fold.steps})


def _stretches_of(fold: Fold, detail: InstanceDetail, now: datetime) -> list[tuple[Step, Stretch]]:
    return [(step, stretch) for step in fold.steps for stretch in stretches(step, detail, now)]


def _queue(detail: InstanceDetail, now: datetime) -> list[Stretch]:
    """The time before it began; the local engine has none."""
    if detail.queued is None:
        return []
    is_open = detail.start is None and not detail.status.is_finished
    begun = detail.start or (now if is_open else detail.end or detail.queued)
    text = _("waited for a free slot from %(instant)s") % {"instant": words.instant(detail.queued)}
    end = max(detail.queued, begun)
    return [Stretch(Kind.QUEUED, detail.queued, end, lambda _: text, is_open=is_open)]


def _canvas(found: list[Stretch], detail: InstanceDetail, now: datetime, view: View) -> Canvas:
    origin, end = _bounds(detail, found, now)
    origin = view.since or origin
    end = max(view.until or end, origin + timedelta(milliseconds=1))
    shown = found
    if view.is_zoomed:
        shown = [s for s in found if s.end >= origin and s.start <= end]
    second = math.floor(origin.timestamp())
    fraction = origin.timestamp() - second
    ruler = _ruler(shown, origin, end, {opened - second for opened in view.opened}, fraction)
    return Canvas(detail, now, view, origin, end, ruler)


def _bounds(
    detail: InstanceDetail, found: list[Stretch], now: datetime
) -> tuple[datetime, datetime]:
    starts = [s.start for s in found] + [t for t in (detail.queued, detail.start) if t]
    ends = [s.end for s in found] + [t for t in (detail.start, detail.end) if t]
    if not detail.status.is_finished or not starts:
        starts.append(now)
        ends.append(now)
    origin = min(starts)
    return origin, max([origin, *ends])


def _ruler(
    found: list[Stretch], origin: datetime, end: datetime, opened: set[int], fraction: float
) -> Scale:
    length = (end - origin).total_seconds()

    def seconds(stretch: Stretch) -> tuple[float, float]:
        start = (stretch.start - origin).total_seconds()
        return max(0.0, start), min(length, (stretch.end - origin).total_seconds())

    return scale(
        length,
        [seconds(s) for s in found if s.kind.is_work],
        [seconds(s) for s in found if s.kind is Kind.BACKOFF],
        lambda start: math.floor(fraction + start) in opened,
    )


def _second(canvas: Canvas, start: float) -> int:
    """The second in which a stretch begins, by which an address names it."""
    return math.floor(canvas.origin.timestamp() + start)


def _pieces(canvas: Canvas) -> str:
    """The axis for the script that reads a moment off it: each piece in ms, and in units."""
    origin = canvas.origin.timestamp() * 1000
    return json.dumps(
        [
            [round(origin + p.start * 1000), round(origin + p.end * 1000), p.left, p.right]
            for p in canvas.ruler.pieces
        ]
    )


def _queue_row(queue: list[Stretch], canvas: Canvas) -> list[Row]:
    if not queue or not (queue[0].is_open or queue[0].end - queue[0].start >= LEAST_QUEUE):
        return []
    if not canvas.shows(queue[0]):
        return []
    state = StepState.QUEUED if queue[0].is_open else StepState.DONE
    bar = queue_bar(queue[0], canvas)
    length = spoken(queue[0].end - queue[0].start)
    return [Row("queue", _("queued"), state, (bar,), length=length, is_dim=bar.is_dim)]


def _row(line: _Line, canvas: Canvas) -> Row:
    return _group_row(line, canvas) if line.fold.is_group else _step_row(line, canvas)


def _step_row(line: _Line, canvas: Canvas) -> Row:
    [step], detail = line.fold.steps, canvas.detail
    segments = bars(step, (stretch for _step, stretch in line.stretches), canvas)
    return Row(
        key=f"row-{step.index}",
        name=line.fold.name,
        state=state_of(step, detail),
        segments=segments,
        step_indexes=(step.index,),
        href=canvas.view.to_step(step, detail),
        note="" if line.stretches else _("no times are known"),
        length=step_length(step, detail, canvas.now),
        ticks_since=ticks_since(step, detail),
        is_member=line.fold.is_member,
        is_dim=canvas.is_dim(step),
    )


def _group_row(line: _Line, canvas: Canvas) -> Row:
    fold, view = line.fold, canvas.view
    return Row(
        key=f"fold-{fold.key}",
        name=fold.name,
        state=StepState.FAILED if fold.failed else StepState.DONE,
        segments=joined_bars(line.stretches, canvas),
        step_indexes=tuple(step.index for step in fold.steps),
        href=view.unfolding(fold.key, 0 if fold.shown else MORE_MEMBERS),
        note=fold.note,
        has_failed=fold.failed > 0,
        is_group=True,
        is_unfolded=fold.shown > 0,
        is_dim=all(canvas.is_dim(step) for step in fold.steps),
        hidden=fold.hidden,
        more_href=view.unfolding(fold.key, fold.shown + MORE_MEMBERS),
    )


def _legend(rows: list[Row]) -> tuple[Kind, ...]:
    drawn = {segment.kind for row in rows for segment in row.segments}
    return tuple(kind for kind in Kind if kind in drawn)
