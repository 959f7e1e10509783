"""The overview's order: new failures first, old noise behind them, the gone last."""

from __future__ import annotations

from dashboard.insight.urgency import Need, worst_first


def order(*needs: Need) -> list[str]:
    return [need.name for need in sorted(needs, key=worst_first)]


def test_what_fails_more_than_usual_stands_before_what_always_fails_so_much() -> None:
    noise = Need("noise", failed=50, ended=500, usual_failed=1_200, usual_ended=12_000, errored=900)
    broken = Need("broken", failed=9, ended=20, usual_failed=2, usual_ended=400, errored=9)

    assert order(noise, broken) == ["broken", "noise"]
    assert (noise.unusual, broken.unusual) == (0, 9)


def test_where_too_few_ended_before_every_failure_counts() -> None:
    new = Need("new", failed=3, ended=3, usual_failed=9, usual_ended=10)

    assert (new.unusual, new.usual_percent) == (3, None)


def test_fewer_failures_than_usual_are_none() -> None:
    better = Need("better", failed=1, ended=100, usual_failed=50, usual_ended=100)

    assert better.unusual == 0


def test_behind_failures_come_the_stuck_the_errored_the_unfinished_and_the_name() -> None:
    assert order(
        Need("b"),
        Need("a"),
        Need("open", unfinished=2),
        Need("errored", errored=1),
        Need("stuck", stuck=1),
        Need("failing", failed=1, ended=1),
        Need("gone", failed=9, ended=9, is_gone=True),
    ) == ["failing", "stuck", "errored", "open", "a", "b", "gone"]
