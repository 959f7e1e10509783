"""Everything the page of one instance says of its detail, in one object for its template."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from dashboard.cloudflare.types import ErrorDetail, InstanceDetail, Rollback
from dashboard.insight import words
from dashboard.insight.durations import spoken
from dashboard.insight.payload import Payload, payload
from dashboard.insight.phase import Phase, phase
from dashboard.insight.states import StepState, failing_step, state_of
from dashboard.insight.step_pages import StepPages, step_pages
from dashboard.insight.step_rows import ERROR_LIMIT, StepRow, error_text, step_row
from dashboard.insight.timeline import Timeline, timeline
from dashboard.insight.view import View

#: So many steps are a long log.
LONG = 1000


@dataclass(frozen=True)
class InstancePage:
    """`failing`: the step that an errored instance failed in.

    What takes long is made when it is asked for: a long page is sent in parts.
    """

    detail: InstanceDetail
    now: datetime
    view: View
    phase: Phase
    phase_href: str
    length: str
    error: ErrorDetail | None
    failing: StepRow | None
    rollback: Rollback | None
    params: Payload | None
    output: Payload | None

    @property
    def is_long(self) -> bool:
        """The log takes longer to be made than all that stands before it."""
        return len(self.detail.steps) >= LONG

    @cached_property
    def timeline(self) -> Timeline:
        return timeline(self.detail, self.now, self.view)

    @cached_property
    def pages(self) -> StepPages:
        return step_pages(self.detail, self.view, self.phase.step_index)

    @cached_property
    def rows(self) -> tuple[StepRow, ...]:
        """Of the page of the table that is shown."""
        return tuple(step_row(s, self.detail, self.now, self.view) for s in self.pages.shown)

    @cached_property
    def counts(self) -> tuple[tuple[StepState, int], ...]:
        """Its steps by state."""
        counts = Counter(state_of(step, self.detail) for step in self.detail.steps)
        return tuple((state, counts[state]) for state in StepState if state in counts)

    @property
    def error_name(self) -> str:
        return words.cut(self.error.name, words.NAME_LIMIT) if self.error else ""

    @property
    def error_text(self) -> Payload | None:
        """The message alone: its name stands over it."""
        return payload(self.error.message, limit=ERROR_LIMIT) if self.error else None

    @property
    def own_error(self) -> Payload | None:
        """What the failing step itself said, where the instance's error does not repeat it."""
        error = self.failing.error if self.failing else None
        said = words.error_text(self.error)
        if not error or not error.message or error.message in said:
            return None
        return error_text(error)

    @property
    def rollback_text(self) -> Payload | None:
        return error_text(self.rollback.error) if self.rollback else None

    @property
    def previous_href(self) -> str:
        return self.view.page_href(self.pages.previous or 1)

    @property
    def next_href(self) -> str:
        return self.view.page_href(self.pages.next or self.pages.count)

    @property
    def has_rollback_failed(self) -> bool:
        return self.rollback is not None and self.rollback.outcome == "failed"


def instance_page(detail: InstanceDetail, now: datetime, view: View | None = None) -> InstancePage:
    """The page of this instance at `now`, looked at as `view` says."""
    view = view or View()
    current = phase(detail, now)
    failing = failing_step(detail)
    return InstancePage(
        detail=detail,
        now=now,
        view=view,
        phase=current,
        phase_href=_href(view, detail, current.step_index),
        length=_length(detail, now),
        error=detail.error,
        failing=step_row(failing, detail, now, view) if failing else None,
        rollback=detail.rollback,
        params=None
        if detail.params is None
        else payload(detail.params, is_truncated=detail.is_params_truncated),
        output=None
        if detail.output is None
        else payload(detail.output, is_truncated=detail.is_output_truncated),
    )


def _href(view: View, detail: InstanceDetail, index: int | None) -> str:
    return "" if index is None else view.to_step(detail.steps[index], detail)


def _length(detail: InstanceDetail, now: datetime) -> str:
    if detail.start is None:
        return ""
    end = detail.end or (None if detail.status.is_finished else now)
    return spoken(end - detail.start) if end else ""
