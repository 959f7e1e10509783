"""Which steps the table shows: those that the filter leaves, a page at a time."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from dashboard.cloudflare.types import InstanceDetail, Step
from dashboard.insight.view import View

#: A page of this many renders well within a second.
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class StepPages:
    """The pages of a table of `steps`; numbers count from 1. `total`: with those left out."""

    steps: tuple[Step, ...]
    total: int
    number: int = 1

    @property
    def count(self) -> int:
        return max(1, -(-len(self.steps) // PAGE_SIZE))

    @property
    def shown(self) -> tuple[Step, ...]:
        return self.steps[self.start : self.end]

    @property
    def is_paged(self) -> bool:
        return self.count > 1

    @property
    def left_out(self) -> int:
        return self.total - len(self.steps)

    @property
    def start(self) -> int:
        return (self.number - 1) * PAGE_SIZE

    @property
    def end(self) -> int:
        return min(len(self.steps), self.start + PAGE_SIZE)

    @property
    def first(self) -> int:
        return self.start + 1

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.count else None


def step_pages(detail: InstanceDetail, view: View, of_interest: int | None = None) -> StepPages:
    """The pages, opened at the step of a permalink; else at the page in the address, or the
    nearest one to it; else at the step of interest; else at the first.
    """
    steps = detail.steps
    if view.is_filtered:
        steps = tuple(step for step in steps if view.matches(step, detail))
    pages = StepPages(steps, len(detail.steps))
    step = view.step
    if step is None and view.page.isascii() and view.page.isdecimal():
        return StepPages(steps, pages.total, min(max(1, int(view.page)), pages.count))
    if step is None:
        step = of_interest
    if step is None:
        return pages
    place = bisect_left(steps, step, key=lambda one: one.index)
    is_there = place < len(steps) and steps[place].index == step
    return StepPages(steps, pages.total, place // PAGE_SIZE + 1 if is_there else 1)
