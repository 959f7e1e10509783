from __future__ import annotations

import pytest

from dashboard.insight.step_pages import step_pages
from dashboard.insight.view import View
from tests.insight.details import attempt, detail, running, step

TOLD = detail(
    running(
        *(
            step(f"item-{n}", attempt(n, n + 1, error="" if n % 10 else "broken"))
            for n in range(250)
        )
    )
)


@pytest.mark.parametrize(
    ("wanted", "of_interest", "number"),
    [("", None, 1), ("", 150, 2), ("3", 150, 3), ("99", None, 3), ("0", None, 1), ("x", None, 1)],
)
def test_the_table_opens_where_a_reader_wants_to_be(
    wanted: str, of_interest: int | None, number: int
) -> None:
    assert step_pages(TOLD, View(page=wanted), of_interest).number == number


@pytest.mark.parametrize(("step", "number"), [(0, 1), (99, 1), (100, 2), (249, 3), (250, 1)])
def test_a_permalink_opens_the_page_that_its_step_stands_on(step: int, number: int) -> None:
    assert step_pages(TOLD, View(step=step, page="2")).number == number


def test_a_filter_leaves_out_what_does_not_fit_and_counts_it() -> None:
    pages = step_pages(TOLD, View(only_failed=True))

    assert [step.index for step in pages.shown] == list(range(0, 250, 10))
    assert pages.left_out == 225


def test_the_pages_of_a_filter_are_its_own() -> None:
    pages = step_pages(TOLD, View(text="ITEM-1", step=199))

    assert [pages.shown[place].name for place in (0, -1)] == ["item-189", "item-199"]
    assert (pages.count, pages.number, pages.previous, pages.next) == (2, 2, 1, None)
