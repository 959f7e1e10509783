from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

import pytest

from dashboard.insight.version_watch import Comparison, Kind, compare, fisher, rank_test


@dataclass(frozen=True)
class Went:
    number: int
    errored: int


@dataclass(frozen=True)
class Step:
    durations: Mapping[int, int] = field(default_factory=dict)
    failed_attempts: int = 0

    @property
    def succeeded(self) -> int:
        return sum(self.durations.values())


FINE = Went(1_000, 20), Went(100, 2)


def worse(
    *, outcomes: tuple[Went, Went] = FINE, **steps: tuple[Step, Step]
) -> list[tuple[str, Kind]]:
    found = compare("v1", outcomes, [(name, *pair) for name, pair in steps.items()])
    return [(one.step, one.kind) for one in found.worse]


@pytest.mark.parametrize(
    ("groups", "p"),
    [
        ((3, 4, 1, 4), 0.242857),  # The lady tasting tea.
        ((11, 14, 1, 10), 0.0013797),
        ((0, 50, 10, 50), 1.0),
        ((50, 100, 5_000, 10_000), 0.5396),
    ],
)
def test_fishers_test_gives_the_known_probabilities(
    groups: tuple[int, int, int, int], p: float
) -> None:
    assert fisher(*groups) == pytest.approx(p, rel=0.001)


def test_fishers_test_bears_hundreds_of_thousands() -> None:
    assert fisher(1_000, 100_000, 800, 100_000) == pytest.approx(1e-6, rel=2)


def test_the_rank_test_tells_larger_from_the_same_and_from_smaller() -> None:
    low, high = {10: 50, 20: 50}, {20: 50, 30: 50}

    assert rank_test(high, low) < 1e-9
    assert rank_test(low, low) > 0.4
    assert rank_test(low, high) > 0.99
    assert rank_test({5: 40}, {5: 60}) == 1.0
    assert rank_test({}, low) == 1.0


def test_a_version_that_fails_more_is_worse_and_says_so() -> None:
    found = compare("v1", (Went(1_903, 38), Went(212, 60)), [])

    assert [one.text for one in found.worse] == [
        "Instances that failed 28.3 %, before 2.0 % (212 vs 1,903)"
    ]


@pytest.mark.parametrize(
    "outcomes",
    [
        (Went(1_000, 20), Went(29, 29)),  # Too few.
        (Went(100_000, 1_000), Went(100_000, 1_400)),  # No accident, and too small to matter.
        (Went(100, 5), Went(40, 5)),  # Large, and may be an accident.
        (Went(1_000, 200), Went(1_000, 20)),
    ],
)
def test_few_small_accidental_and_better_ones_are_not_worse(outcomes: tuple[Went, Went]) -> None:
    assert worse(outcomes=outcomes) == []


def test_a_slower_step_is_worse_by_its_median_a_longer_tail_by_its_p95() -> None:
    usual = Step({1_000: 500, 2_000: 500})
    slower = Step({3_000: 50, 4_000: 50})
    tail = Step({1_000: 45, 2_000: 35, 9_000: 20})

    assert worse(charge=(usual, slower)) == [("charge", Kind.MEDIAN), ("charge", Kind.P95)]
    assert worse(charge=(usual, tail)) == [("charge", Kind.P95)]


def test_more_attempts_for_each_success_are_worse() -> None:
    usual, retrying = Step({1_000: 500}, 10), Step({1_000: 100}, 150)

    assert worse(charge=(usual, retrying)) == [("charge", Kind.ATTEMPTS)]


def test_the_attempts_of_a_few_instances_that_failed_together_are_no_evidence() -> None:
    assert worse(charge=(Step({1_000: 500}), Step({1_000: 100}, 24))) == []


def test_a_hundred_workflows_that_did_not_change_raise_at_most_one_alarm() -> None:
    chance = Random(1)

    def step(number: int) -> Step:
        took = [round(10 ** chance.gauss(3, 0.5)) for _ in range(number)]
        retried = sum(chance.randrange(1, 6) for _ in range(number) if chance.random() < 0.05)
        return Step(Counter(took), retried)

    def went(number: int) -> Went:
        return Went(number, sum(chance.random() < 0.1 for _ in range(number)))

    alarms = 0
    for _ in range(100):
        steps = {f"s{n}": (step(80), step(40)) for n in range(10)}
        alarms += bool(worse(outcomes=(went(300), went(60)), **steps))
    assert alarms <= 1


def test_a_comparison_is_kept_as_json_and_read_again() -> None:
    found = compare("v1", FINE, [("charge", Step({5: 40}), Step({7: 50}))])

    assert Comparison.of_json(found.as_json()) == found
