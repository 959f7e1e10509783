"""The planner, for any state: within its allowance, fair, and the same for the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.sync.known import LONGEST_WORK, Kind, Known, State, Work
from dashboard.sync.plan import plan, plan_history

NOW = 1_000_000.0
STATUSES = ("running", "waiting")

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
        left=numbers,
        left_per_request=st.floats(0, 100),
        errored_unread=numbers,
        unfinished_unread=numbers,
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


@given(knowns(), st.floats(0, 4))
def test_a_watched_workflow_is_never_later_than_an_unwatched_one_of_the_same_state(
    known: Known, rate: float
) -> None:
    unwatched, watched = replace(known, is_watched=False), replace(known, is_watched=True)
    state = State([unwatched, replace(watched, workflow=2)], NOW, rate, STATUSES)
    works = plan(state, NOW, 500)

    for kind_of in {work.name for work in works}:
        order = [work.workflow for work in works if work.name == kind_of]
        assert order[0] == 2


@given(st.integers(1, 99), st.floats(10, 3_000))
def test_errors_come_before_the_rest_at_equal_age(rows: int, age: float) -> None:
    known = Known(
        1,
        told={"running": 0},
        told_at=NOW,
        held={"running": rows},
        arrived=rows,
        errored_missing=rows,
        errored_unread=1,
        left=rows,
        unfinished_unread=rows,
        has_versions=False,
        done=dict.fromkeys(("head", "errored", "pass:running", "left", "details"), NOW - age)
        | {"deep-errored": NOW},
    )
    if age < 15:
        known = replace(known, done={k: v for k, v in known.done.items() if k != "errored"})

    works = [work for work in plan(State([known], NOW, 2.4, STATUSES), NOW, 100) if work.cost]

    assert works[0].kind in {Kind.ERRORED, Kind.DETAILS}


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 10**4), st.integers(2, 30))
def test_no_workflow_starves_beside_a_busy_one(arrivals: int, quiet_ones: int) -> None:
    """One whose counts move all the time, others that nothing is told of: each has its turn."""
    told = {"running": 10}
    quiet = {
        number: Known(number, told=told, held=told, told_at=NOW, has_versions=False)
        for number in range(1, quiet_ones + 1)
    }
    done = dict.fromkeys(("head", "pass:running", "pass:waiting", "errored"), NOW)
    quiet = {number: replace(known, done=done) for number, known in quiet.items()}
    now, head_at = NOW, dict.fromkeys(quiet, NOW)
    for _ in range(600):
        now += 60
        busy = Known(0, told={}, told_at=now, arrived=arrivals, done={"head": now - 60})
        works = plan(State([busy, *quiet.values()], now, 2.4, STATUSES), now, 1)
        for work in works:
            if work.workflow in quiet:
                known = quiet[work.workflow]
                quiet[work.workflow] = replace(known, done={**known.done, work.name: now})
                if work.kind is Kind.HEAD:
                    head_at[work.workflow] = now

    assert min(head_at.values()) > now - 6 * 3_600


def test_the_first_thing_to_ask_is_the_counts() -> None:
    assert [work.kind for work in plan(State([], None, 2.4, STATUSES), NOW, 10)] == [Kind.COUNTS]


def test_nothing_is_asked_of_what_the_counts_say_did_not_change() -> None:
    done = {kind.value: NOW - 60 for kind in Kind} | {f"pass:{name}": NOW - 60 for name in STATUSES}
    known = Known(1, told={"running": 3}, told_at=NOW, held={"running": 3}, done=done)

    assert plan(State([known], NOW, 2.4, STATUSES), NOW, 10) == []


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
