"""The planner, for any state: within its allowance, fair, and the same for the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.sync.gain import SHORTEST
from dashboard.sync.known import LONGEST_WORK, Kind, Known, State, Work, learn
from dashboard.sync.plan import (
    COUNTS_EVERY,
    COUNTS_PART,
    HISTORY_GETS,
    counts_interval,
    plan,
    plan_history,
)

NOW = 1_000_000.0
STATUSES = ("running", "waiting")
ROWS_OF = {
    Kind.DETAILS: "errored_unread",
    Kind.HINTED: "hinted_failures",
    Kind.LEFT: "left",
}

counts = st.dictionaries(st.sampled_from([*STATUSES, "errored", "odd"]), st.integers(0, 10**6))
instants = st.floats(NOW - 10_000, NOW + 100)
names = st.sampled_from([*(kind.value for kind in Kind), "pass:running", "pass:waiting"])


def knowns(workflow: int = 1) -> st.SearchStrategy[Known]:
    numbers = st.integers(0, 10**5)
    return st.builds(
        Known,
        st.just(workflow),
        told=st.none() | counts,
        told_at=instants,
        held=counts,
        changed_at=instants,
        arrived=numbers,
        near=st.dictionaries(st.sampled_from(STATUSES), st.floats(0, 1)),
        errored_missing=st.integers(-100, 10**5),
        errored_deep=st.integers(0, 10**5),
        left=numbers,
        left_per_request=st.floats(0, 100),
        hinted_failures=numbers,
        hinted_others=numbers,
        errored_unread=numbers,
        gap=st.integers(0, 100),
        history=st.booleans(),
        has_versions=st.booleans(),
        has_new_version=st.booleans(),
        deep_pages=st.integers(0, 1_000),
        is_watched=st.booleans(),
        done=st.dictionaries(names, instants),
        learned=st.dictionaries(names, st.floats(0, 1_000)),
    )


states = st.builds(
    State,
    st.integers(0, 6).flatmap(lambda n: st.tuples(*(knowns(workflow) for workflow in range(n)))),
    st.none() | instants,
    st.floats(0, 4),
    st.just(STATUSES),
)


@given(states, st.integers(0, 50))
def test_never_more_than_the_allowance_and_always_the_same(state: State, allowance: int) -> None:
    works = plan(state, NOW, allowance)

    assert sum(work.cost for work in works) <= allowance
    assert all(0 <= work.cost <= LONGEST_WORK or work.kind is Kind.COUNTS for work in works)
    assert len({(work.workflow, work.name) for work in works}) == len(works)
    assert plan(state, NOW, allowance) == works
    assert sum(work.cost for work in plan_history(state, allowance)) <= allowance


@given(knowns())
def test_a_watched_workflow_is_never_later_than_an_unwatched_one_of_the_same_state(
    known: Known,
) -> None:
    unwatched, watched = replace(known, is_watched=False), replace(known, is_watched=True)
    state = State([unwatched, replace(watched, workflow=2)], NOW, 1_000.0, STATUSES)
    works = plan(state, NOW, 500)

    for kind_of in {work.name for work in works}:
        order = [work.workflow for work in works if work.name == kind_of]
        assert order[0] == 2


@given(st.integers(1, 99), st.floats(5, 2_500))
def test_errors_come_before_the_rest_at_equal_age(rows: int, age: float) -> None:
    names = ("head", "errored", "deep-errored", "pass:running", "left", "details")
    known = Known(
        1,
        told={"running": 0},
        told_at=NOW,
        held={"running": rows},
        arrived=rows,
        errored_missing=rows,
        errored_unread=1,
        left=rows,
        has_versions=False,
        done=dict.fromkeys(names, NOW - age),
    )

    works = [work for work in plan(State([known], NOW, 2.4, STATUSES), NOW, 100) if work.cost]

    assert works[0].kind in {Kind.ERRORED, Kind.DETAILS}


@given(knowns(), knowns(2), st.integers(2, 50))
def test_a_failure_that_an_event_tells_of_comes_before_anything_but_the_counts(
    known: Known, other: Known, allowance: int
) -> None:
    done = {name: at for name, at in known.done.items() if name != Kind.HINTED}
    hinted = replace(known, hinted_failures=1, done=done)
    state = State([replace(other, hinted_failures=0), hinted], NOW, 2.4, STATUSES)
    works = plan(state, NOW, allowance)

    assert (works[0].kind, works[0].workflow) == (Kind.HINTED, 1)
    old = replace(state, counted_at=None)
    assert [work.kind for work in plan(old, NOW, allowance)] == [Kind.COUNTS]


@given(states, st.integers(2, 50))
def test_what_is_urgent_leaves_half_to_the_rest(state: State, allowance: int) -> None:
    """What nobody looks at, and no failure's detail, gets half of the requests if it wants them."""
    calm = [
        replace(known, is_watched=False, hinted_failures=0, errored_unread=0)
        for known in state.workflows
    ]
    urgent = [
        replace(known, workflow=known.workflow + 100, is_watched=True) for known in state.workflows
    ]
    fresh = replace(state, counted_at=NOW)
    wanted = sum(work.cost for work in plan(replace(fresh, workflows=calm), NOW, allowance))
    works = plan(replace(fresh, workflows=[*calm, *urgent]), NOW, allowance)

    given = sum(work.cost for work in works if work.workflow is not None and work.workflow < 100)
    spent = sum(work.cost for work in works)
    assert given >= min(wanted, (spent - spent // HISTORY_GETS) // 2)


def test_the_back_fill_goes_on_where_freshness_would_take_everything() -> None:
    busy = Known(1, told={"complete": 10**6}, told_at=NOW, arrived=10**6, history=True)
    calm = replace(busy, arrived=0, done=dict.fromkeys(Kind, NOW))

    works = plan(State([busy], NOW, 2.4, STATUSES), NOW, 10)
    assert sum(work.cost for work in works if work.kind is Kind.HISTORY) == 1
    assert sum(work.cost for work in works) == 10
    assert plan(State([calm], NOW, 2.4, STATUSES), NOW, 10) == []


def test_a_late_pass_gets_its_part_where_newer_things_would_take_everything() -> None:
    done = dict.fromkeys((kind.value for kind in Kind), NOW - 60)
    busy = [
        Known(number, told={"complete": 10**6}, told_at=NOW, arrived=10**6, done=done)
        for number in range(1, 20)
    ]

    def pages(began: float, *, history: bool = False) -> int:
        waits = Known(
            20,
            told={"waiting": 10**5},
            told_at=NOW,
            held={"waiting": 10**5 + 500},
            done=done | {"pass:waiting": NOW - began},
            history=history,
        )
        works = plan(State([*busy, waits], NOW, 2.4, STATUSES), NOW, 10)
        return sum(work.cost for work in works if work.kind is Kind.PASS)

    assert pages(began=1_800) == 0
    assert pages(began=4_000) == 3
    assert pages(began=4_000, history=True) == 0


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 10**4), st.integers(2, 12), st.booleans(), st.booleans())
def test_each_workflow_is_looked_at_within_six_hours_beside_ones_that_are_always_busy(
    arrivals: int, quiet_ones: int, is_watched: bool, has_counts: bool
) -> None:
    told = {"running": 10} if has_counts else None
    names = ("head", "pass:running", "pass:waiting", "errored")
    quiet = {
        number: Known(
            number,
            told=told,
            told_at=NOW,
            held={"running": 10},
            has_versions=False,
            done=dict.fromkeys(names, NOW),
            learned=dict.fromkeys(names, 0.0),
        )
        for number in range(1, quiet_ones + 1)
    }
    now, head_at = NOW, dict.fromkeys(quiet, NOW)
    for _ in range(600):
        now += 60
        busy = Known(
            0,
            told={} if has_counts else None,
            told_at=now,
            arrived=arrivals,
            errored_missing=arrivals,
            errored_unread=arrivals,
            hinted_failures=arrivals,
            is_watched=is_watched,
            done=dict.fromkeys(names, now - 60),
            learned=dict.fromkeys(names, 100.0),
        )
        works = plan(State([busy, *quiet.values()], now, 2.4, STATUSES), now, 2)
        for work in works:
            if work.workflow in quiet:
                known = quiet[work.workflow]
                quiet[work.workflow] = replace(known, done={**known.done, work.name: now})
                if work.kind is Kind.HEAD:
                    head_at[work.workflow] = now

    assert min(head_at.values()) > now - 6 * 3_600


def test_the_counts_are_asked_for_less_often_where_new_ones_wait_long_and_nobody_looks() -> None:
    def interval(waiting: float, *, is_watched: bool = False) -> float:
        known = Known(1, told={}, told_at=NOW, arrived=100, done={"head": NOW - waiting})
        calm = replace(known, workflow=2, arrived=0, done={"head": NOW - 9_000})
        state = State([replace(known, is_watched=is_watched), calm], NOW, 2.4, STATUSES)
        return counts_interval(state, requests=1)

    assert interval(waiting=10) == COUNTS_EVERY
    assert interval(waiting=300) == pytest.approx(300 * COUNTS_PART)
    assert interval(waiting=300, is_watched=True) == COUNTS_EVERY


def test_what_the_newest_page_of_errors_did_not_show_is_looked_for_deeper() -> None:
    done = dict.fromkeys(("head", "errored", "deep-errored", "pass:running"), NOW - 60)
    known = Known(1, told={}, told_at=NOW, errored_missing=3, has_versions=False, done=done)

    def kinds(known: Known) -> set[Kind]:
        return {work.kind for work in plan(State([known], NOW, 2.4, ()), NOW, 10)}

    assert kinds(known) == {Kind.ERRORED}
    assert kinds(replace(known, errored_deep=3, deep_pages=2)) == {Kind.DEEP_ERRORED}
    assert kinds(replace(known, errored_deep=1)) == {Kind.ERRORED, Kind.DEEP_ERRORED}


@given(st.floats(0.001, 10), st.integers(1, 600))
def test_a_steady_rate_is_learned(rate: float, seconds: int) -> None:
    known, found, elapsed = None, 0, 0
    while elapsed < 20_000:
        elapsed += seconds
        known, found = learn(known, int(rate * elapsed) - found, seconds), int(rate * elapsed)

    assert known is not None
    # A look finds whole rows: what has come in since the last one is yet to be found.
    assert 0.25 * rate < known < 4 * rate + 1 / seconds


def test_a_quiet_workflow_is_not_forgotten_after_looks_that_found_nothing() -> None:
    known = 0.01
    for _ in range(30):
        known = learn(known, 0, 10)

    assert known > 0.005


def test_the_first_thing_to_ask_is_the_counts() -> None:
    assert [work.kind for work in plan(State([], None, 2.4, STATUSES), NOW, 10)] == [Kind.COUNTS]


@pytest.mark.parametrize("kind", [Kind.DETAILS, Kind.HINTED, Kind.LEFT])
def test_a_row_whose_detail_is_not_there_yet_is_asked_for_again_after_seconds(kind: Kind) -> None:
    """A list may show it already. Where there are more rows than one look takes, none waits."""

    def is_asked_for(seconds: float, rows: int = 1) -> bool:
        numbers = {"errored_unread": 0, "hinted_failures": 0, "left": 0}
        numbers[ROWS_OF[kind]] = rows
        known = Known(1, told={}, told_at=NOW - 9, done={"head": NOW - 9, kind: NOW - seconds})
        known = replace(known, has_versions=False, **numbers)
        return kind in {work.kind for work in plan(State([known], NOW, 2.4, ()), NOW, 10)}

    assert not is_asked_for(seconds=0)
    assert not is_asked_for(seconds=SHORTEST - 0.1)
    assert is_asked_for(seconds=SHORTEST)
    assert is_asked_for(seconds=1, rows=LONGEST_WORK + 1)


def test_nothing_is_asked_of_what_the_counts_say_did_not_change() -> None:
    done = {kind.value: NOW - 60 for kind in Kind} | {f"pass:{name}": NOW - 60 for name in STATUSES}
    known = Known(1, told={"running": 3}, told_at=NOW, held={"running": 3}, done=done)

    assert plan(State([known], NOW, 2.4, STATUSES), NOW, 10) == []


def test_a_first_pass_is_asked_for_only_over_what_is_held_beyond_the_newest_page() -> None:
    done = {"head": NOW - 5, "errored": NOW - 5}
    held = {"running": 2}
    known = Known(1, told=held, told_at=NOW, held=held, has_versions=False, done=done)

    def works(near: float) -> list[str]:
        state = State([replace(known, near={"running": near})], NOW, 2.4, STATUSES)
        return [work.name for work in plan(state, NOW, 10)]

    assert works(near=1.0) == []
    assert works(near=0.5) == ["pass:running"]


def test_a_target_without_counts_is_looked_at_by_what_it_showed_before() -> None:
    busy, calm = (
        Known(number, done={"head": NOW - 20}, learned={"head": rate}, has_versions=False)
        for number, rate in ((1, 1.0), (2, 0.01))
    )
    works = plan(State([calm, busy], NOW, 2.4, ()), NOW, 10)

    heads = [work.workflow for work in works if work.kind is Kind.HEAD]
    assert heads == [1, 2]


def test_history_goes_to_whom_somebody_looks_at_and_then_to_the_smallest() -> None:
    large, small, watched = (
        Known(number, told={"complete": total}, history=True, is_watched=number == 3)
        for number, total in ((1, 9_000), (2, 100), (3, 50_000))
    )

    works: list[Work] = plan_history(State([large, small, watched], NOW, 2.4, STATUSES), 25)

    assert [(work.workflow, work.cost) for work in works] == [(3, 10), (2, 10), (1, 5)]
