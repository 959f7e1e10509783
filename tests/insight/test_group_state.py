"""How a group stands, at the edges of each rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dashboard.insight.group_state import (
    Counted,
    GroupState,
    Ignored,
    Resolved,
    is_growing,
    state_of,
)

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=30)


def counted(
    *, first: datetime = LONG_AGO, last: datetime = NOW, count: int = 100, **more: object
) -> Counted:
    return Counted(first, last, count, **more)  # type: ignore[arg-type]


def steady(per_hour: int, recent: int) -> dict[datetime, int]:
    """So many in each hour of the week before, and `recent` in this hour."""
    this = NOW.replace(minute=0)
    return {this - hours * HOUR: per_hour for hours in range(2, 170)} | {this: recent}


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(hours=24) - timedelta(seconds=1), GroupState.NEW),
        (timedelta(hours=24), GroupState.ONGOING),
    ],
)
def test_a_group_is_new_for_a_day(age: timedelta, state: GroupState) -> None:
    assert state_of(counted(first=NOW - age), None, NOW) is state


def test_a_group_that_was_not_seen_for_a_day_is_quiet() -> None:
    day = timedelta(days=1)

    assert state_of(counted(last=NOW - day), None, NOW) is GroupState.QUIET
    assert state_of(counted(last=NOW - day + HOUR), None, NOW) is GroupState.ONGOING


class TestGrowing:
    @pytest.mark.parametrize(
        ("per_hour", "recent", "state"),
        [
            (0, 4, GroupState.ONGOING),  # too few to say
            (0, 5, GroupState.GROWING),
            (10, 25, GroupState.ONGOING),  # 15 were usual
            (10, 29, GroupState.ONGOING),  # not twice as many
            (10, 30, GroupState.GROWING),
            (2, 8, GroupState.ONGOING),  # 3 were usual: chance does that
            (2, 9, GroupState.GROWING),
        ],
    )
    def test_it_takes_twice_the_usual_and_more_than_chance(
        self, per_hour: int, recent: int, state: GroupState
    ) -> None:
        told = counted(hours=steady(per_hour, recent), ended=steady(100, 100))

        assert state_of(told, None, NOW) is state

    @pytest.mark.parametrize(
        ("ended", "state"),
        [
            (100, GroupState.GROWING),  # 40 of 100, usually 10 of 100
            (200, GroupState.GROWING),  # twice the share
            (201, GroupState.ONGOING),
            (400, GroupState.ONGOING),  # more end, and as large a share fails
        ],
    )
    def test_it_does_not_grow_because_more_end(self, ended: int, state: GroupState) -> None:
        told = counted(hours=steady(10, 40), ended=steady(100, ended))

        assert state_of(told, None, NOW) is state

    def test_a_larger_share_of_few_may_be_chance(self) -> None:
        """Of 60 that ended, 12 failed: twice the share, but of so few."""
        few = counted(hours=steady(1, 12), ended=steady(10, 60))
        more = counted(hours=steady(1, 30), ended=steady(10, 150))

        assert state_of(few, None, NOW) is GroupState.ONGOING
        assert state_of(more, None, NOW) is GroupState.GROWING

    def test_where_nobody_knows_how_many_ended_nothing_grows(self) -> None:
        assert state_of(counted(hours=steady(1, 50)), None, NOW) is GroupState.ONGOING

    def test_since_a_moment_it_grows_in_all_the_time_since(self) -> None:
        this = NOW.replace(minute=0)
        hours = {this - n * HOUR: 20 if n in {5, 6} else 1 for n in range(170)}
        told = counted(hours=hours, ended=dict.fromkeys(hours, 100))

        assert not is_growing(told, NOW)
        assert is_growing(told, NOW, NOW - 6 * HOUR)
        assert not is_growing(told, NOW, NOW - 4 * HOUR)

    def test_what_is_usual_is_told_from_when_it_was_first_seen(self) -> None:
        """Two a day over two days is what it does, although the week before had none."""
        first = NOW - timedelta(hours=30)
        hours = {first.replace(minute=0) + n * HOUR: 10 for n in range(29)}

        told = counted(first=first, hours=hours | {NOW.replace(minute=0): 18})

        assert state_of(told, None, NOW) is GroupState.ONGOING


class TestResolved:
    AT = NOW - timedelta(hours=3)

    def test_it_stays_so_while_nothing_fails(self) -> None:
        told = counted(last=self.AT, versions={"v1": self.AT})

        assert state_of(told, Resolved(self.AT), NOW) is GroupState.RESOLVED

    def test_a_failure_afterwards_brings_it_back(self) -> None:
        told = counted(versions={"v1": self.AT + timedelta(seconds=1)})

        assert state_of(told, Resolved(self.AT), NOW) is GroupState.REGRESSED

    def test_older_versions_may_still_fail(self) -> None:
        resolved = Resolved(self.AT, older=frozenset({"v1"}))

        assert state_of(counted(versions={"v1": NOW}), resolved, NOW) is GroupState.RESOLVED
        told = counted(versions={"v1": NOW, "v2": NOW})
        assert state_of(told, resolved, NOW) is GroupState.REGRESSED
        told = counted(versions={"": NOW})
        assert state_of(told, resolved, NOW) is GroupState.REGRESSED


class TestIgnored:
    AT = NOW - timedelta(hours=3)

    def test_until_a_moment(self) -> None:
        at = Ignored(self.AT, 100, until=NOW + timedelta(seconds=1))
        over = Ignored(self.AT, 100, until=NOW)

        assert state_of(counted(), at, NOW) is GroupState.IGNORED
        assert state_of(counted(), over, NOW) is GroupState.ONGOING

    def test_until_so_many_more(self) -> None:
        ignored = Ignored(self.AT, 90, further=10)

        assert state_of(counted(count=99), ignored, NOW) is GroupState.IGNORED
        assert state_of(counted(count=100), ignored, NOW) is GroupState.ONGOING

    def test_until_a_rate_even_if_it_falls_again(self) -> None:
        hour = self.AT.replace(minute=0) + HOUR
        ignored = Ignored(self.AT, 100, per_hour=5)

        assert state_of(counted(hours={hour: 5}), ignored, NOW) is GroupState.IGNORED
        assert state_of(counted(hours={hour: 6}), ignored, NOW) is not GroupState.IGNORED
        assert state_of(counted(hours={hour - HOUR: 60}), ignored, NOW) is GroupState.IGNORED

    def test_what_comes_first_ends_it(self) -> None:
        ignored = Ignored(self.AT, 100, until=NOW + HOUR, further=10)

        assert state_of(counted(count=110), ignored, NOW) is not GroupState.IGNORED
