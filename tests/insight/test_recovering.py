"""When it may be said that something stopped failing."""

from __future__ import annotations

import pytest

from dashboard.insight.recovering import has_fallen, is_gone
from dashboard.models.history_figures import Sums


@pytest.mark.parametrize(
    ("failed", "ended", "since", "gone"),
    [
        (10, 100, 69, False),  # 6.9 were to be expected: chance leaves them out 1 in 1,000
        (10, 100, 70, True),
        (10, 100, 0, False),  # nothing ended, nothing is known
        (0, 100, 1000, False),
        (10, 0, 7, True),  # what failed did end
    ],
)
def test_a_group_is_gone_once_so_many_ended_that_it_would_have_come_again(
    failed: int, ended: int, since: int, gone: bool
) -> None:
    assert is_gone(failed, ended, since) is gone


@pytest.mark.parametrize(
    ("before", "lately", "fallen"),
    [
        ((30, 100), (0, 30), True),
        ((30, 100), (0, 10), False),  # chance does that
        ((30, 100), (60, 400), True),  # half of the share
        ((30, 100), (64, 400), False),
        ((0, 100), (0, 400), False),
        ((30, 100), (0, 0), False),
        ((0, 0), (0, 100), False),
    ],
)
def test_a_workflow_recovers_when_at_most_half_the_share_fails_and_that_is_no_accident(
    before: tuple[int, int], lately: tuple[int, int], fallen: bool
) -> None:
    told = [Sums(completed=ended - failed, errored=failed) for failed, ended in (before, lately)]

    assert has_fallen(*told) is fallen
