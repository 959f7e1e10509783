"""On which page of the steps table a step stands, and the link that leads to it."""

from __future__ import annotations

from dataclasses import dataclass

#: A page of this many renders well within a second.
PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class StepPages:
    """The pages of a table of `total` steps; numbers count from 1."""

    total: int
    number: int = 1

    @property
    def count(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def is_paged(self) -> bool:
        return self.count > 1

    @property
    def start(self) -> int:
        return (self.number - 1) * PAGE_SIZE

    @property
    def end(self) -> int:
        return min(self.total, self.start + PAGE_SIZE)

    @property
    def first(self) -> int:
        return self.start + 1

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number < self.count else None

    def page_of(self, index: int) -> int:
        return index // PAGE_SIZE + 1

    def href(self, index: int) -> str:
        """The permalink of a step, from anywhere on the instance's page."""
        anchor = f"#step-{index}"
        if self.page_of(index) == self.number:
            return anchor
        return f"?steps={self.page_of(index)}{anchor}"


def step_pages(total: int, wanted: str = "", of_interest: int | None = None) -> StepPages:
    """The pages, opened at the one a reader asks for; else at the step of interest; else the first.

    `wanted` is what stands in the address: anything but a page that exists is the nearest one.
    """
    pages = StepPages(total)
    if wanted.isdecimal() and len(wanted) < 7:
        return StepPages(total, min(max(1, int(wanted)), pages.count))
    return StepPages(total, 1 if of_interest is None else pages.page_of(of_interest))
