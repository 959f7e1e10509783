"""Everything the page of one instance says of its detail, in one object for its template."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.cloudflare.types import ErrorDetail, InstanceDetail, Rollback
from dashboard.insight import words
from dashboard.insight.durations import spoken
from dashboard.insight.payload import Payload, payload
from dashboard.insight.phase import Phase, phase
from dashboard.insight.states import StepState, failing_step, state_of
from dashboard.insight.step_pages import StepPages, step_pages
from dashboard.insight.step_rows import StepRow, step_row
from dashboard.insight.timeline import Timeline, timeline


@dataclass(frozen=True, slots=True)
class InstancePage:
    """`failing`: the step that an errored instance failed in. `counts`: its steps by state."""

    detail: InstanceDetail
    phase: Phase
    phase_href: str
    timeline: Timeline
    pages: StepPages
    rows: tuple[StepRow, ...]
    counts: tuple[tuple[StepState, int], ...]
    length: str
    error: ErrorDetail | None
    failing: StepRow | None
    failing_href: str
    rollback: Rollback | None
    params: Payload | None
    output: Payload | None

    @property
    def own_error(self) -> str:
        """What the failing step itself said, where the instance's error does not repeat it."""
        error = self.failing.error if self.failing else None
        text = words.error_text(error)
        said = words.error_text(self.error)
        return "" if not error or not error.message or error.message in said else text

    @property
    def has_rollback_failed(self) -> bool:
        return self.rollback is not None and self.rollback.outcome == "failed"


def instance_page(detail: InstanceDetail, now: datetime, wanted: str = "") -> InstancePage:
    """The page of this instance at `now`; `wanted`: the page of steps that the address asks for."""
    current = phase(detail, now)
    failing = failing_step(detail)
    pages = step_pages(len(detail.steps), wanted, current.step_index)
    shown = detail.steps[pages.start : pages.end]
    return InstancePage(
        detail=detail,
        phase=current,
        phase_href="" if current.step_index is None else pages.href(current.step_index),
        timeline=timeline(detail, now, pages),
        pages=pages,
        rows=tuple(step_row(step, detail, now) for step in shown),
        counts=_counts(detail),
        length=_length(detail, now),
        error=detail.error,
        failing=step_row(failing, detail, now) if failing else None,
        failing_href=pages.href(failing.index) if failing else "",
        rollback=detail.rollback,
        params=None
        if detail.params is None
        else payload(detail.params, is_truncated=detail.is_params_truncated),
        output=None
        if detail.output is None
        else payload(detail.output, is_truncated=detail.is_output_truncated),
    )


def _counts(detail: InstanceDetail) -> tuple[tuple[StepState, int], ...]:
    states = [state_of(step, detail) for step in detail.steps]
    return tuple((state, states.count(state)) for state in StepState if state in states)


def _length(detail: InstanceDetail, now: datetime) -> str:
    if detail.start is None:
        return ""
    end = detail.end or (None if detail.status.is_finished else now)
    return spoken(end - detail.start) if end else ""
