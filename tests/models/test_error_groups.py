"""Each failure is counted once in the group of its cause, whatever becomes of its instance."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard.cloudflare import parsing, types
from dashboard.insight.group_state import GroupState
from dashboard.models import (
    Decision,
    ErrorGroup,
    ErrorGroupHour,
    Instance,
    User,
    WorkflowPeriod,
    deciding,
    group_figures,
    recording,
)
from dashboard.models.error_group import family
from dashboard.models.filters import Choice, InstanceFilters
from dashboard.models.group_pruning import prune_group_hours
from dashboard.models.matching import Matching
from dashboard.models.recording import failures
from tests.rows import THEN, minutes, workflow

LATER = THEN + timedelta(hours=1)


def failed(
    message: str = "Customer cus_1 not found", *, started: datetime = THEN, **more: Any
) -> types.InstanceDetail:
    """A read of an instance that failed five minutes after it started."""
    told = {
        "status": "errored",
        "start": started.isoformat(),
        "end": (started + minutes(5)).isoformat(),
        "error": {"name": "NotFoundError", "message": message},
        "versionId": "v1",
    }
    return parsing.instance_detail(told | more, outputs_are_text=True)


def record(
    detail: types.InstanceDetail, instance_id: str = "one", *, now: datetime = LATER
) -> Instance:
    return recording.record_detail(workflow(), instance_id, detail, now=now)


def listed(**facts: Any) -> types.Instance:
    told = {"id": "one", "created_on": THEN, "modified_on": LATER + minutes(9)}
    return types.Instance(**(told | facts))


@pytest.mark.django_db
class TestCounting:
    def test_the_same_cause_is_one_group_with_first_last_and_newest_message(self) -> None:
        record(failed("Customer cus_12ab not found"), "one")
        record(failed("Customer cus_99zz not found", started=THEN + minutes(90)), "two")
        record(failed("Customer cus_00aa not found", started=THEN - minutes(90)), "three")

        group = ErrorGroup.objects.get()
        assert (group.count, group.message) == (3, "Customer <id> not found")
        assert (group.sample, group.sample_instance) == ("Customer cus_99zz not found", "two")
        assert group.first_seen_on == THEN - minutes(85)
        assert group.last_seen_on == THEN + minutes(95)
        hours = ErrorGroupHour.objects.order_by("begins_on")
        assert [*hours.values_list("begins_on", "version_id", "count")] == [
            (THEN - timedelta(hours=2), "v1", 1),
            (THEN, "v1", 1),
            (THEN + timedelta(hours=1), "v1", 1),
        ]

    def test_a_failure_that_is_read_again_is_not_counted_again(self) -> None:
        for later in range(3):
            row = record(failed(), now=LATER + minutes(later))

        assert ErrorGroup.objects.get().count == 1
        assert row.error_group == ErrorGroup.objects.get()

    def test_a_restart_leaves_what_was_counted_and_counts_the_next_failure(self) -> None:
        record(failed())
        record(
            parsing.instance_detail(
                {"status": "running", "start": (THEN + minutes(30)).isoformat()},
                outputs_are_text=True,
            ),
            now=LATER + minutes(1),
        )
        assert Instance.objects.get().error_group is None
        assert ErrorGroup.objects.get().count == 1

        record(failed(started=THEN + minutes(30)), now=LATER + minutes(2))

        assert ErrorGroup.objects.get().count == 2
        assert ErrorGroupHour.objects.get().count == 2

    def test_a_restart_that_a_list_shows_takes_it_out_of_the_group(self) -> None:
        record(failed())
        row = listed(status=types.Status.RUNNING, started_on=THEN + minutes(30))
        page = recording.Listed([row], LATER + minutes(9))

        recording.record_pages(workflow(), [page], now=LATER + minutes(9))

        assert Instance.objects.get().error_group is None
        assert ErrorGroup.objects.get().count == 1

    def test_an_instance_that_is_forgotten_stays_counted(self) -> None:
        record(failed()).delete()

        assert ErrorGroup.objects.get().count == 1

    def test_hours_are_forgotten_and_the_sum_stays(self) -> None:
        record(failed())
        record(failed(started=THEN + minutes(90)), "two")

        hour = THEN + timedelta(hours=1)
        assert prune_group_hours(before=hour, is_time_up=lambda: True) == 0
        assert prune_group_hours(before=hour, is_time_up=lambda: False) == 1
        assert ErrorGroupHour.objects.get().begins_on == hour
        assert ErrorGroup.objects.get().count == 2

    def test_only_errored_instances_are_in_a_group(self) -> None:
        told = {"status": "terminated", "error": {"name": "Error", "message": "x"}}
        record(parsing.instance_detail(told, outputs_are_text=True))

        assert not ErrorGroup.objects.exists()

    def test_each_workflow_has_groups_of_its_own(self) -> None:
        record(failed())
        recording.record_detail(workflow("refunds"), "one", failed(), now=LATER)

        assert ErrorGroup.objects.count() == 2

    def test_messages_without_end_and_odd_ones_are_held(self) -> None:
        record(failed("a\0b\ud800" + "x y " * 100_000, versionId="v" * 5000))

        group = ErrorGroup.objects.get()
        assert len(group.sample) <= failures.LONGEST_SAMPLE
        assert "\0" not in group.sample + group.message

    def test_causes_beyond_the_most_are_counted_together(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(failures, "MOST_GROUPS", 2)
        for number, word in enumerate(["one", "two", "three", "four", "one"]):
            record(failed(f"cause {word}"), str(number))

        counts = ErrorGroup.objects.order_by("pk").values_list("message", "count")
        assert [*counts] == [("cause one", 2), ("cause two", 1), (failures.OTHERS_SAY, 2)]


@pytest.mark.django_db
class TestMerging:
    @pytest.fixture
    def groups(self) -> list[ErrorGroup]:
        """Three groups with one, two and three failures."""
        words = ["one", "two", "two", "three", "three", "three"]
        for number, word in enumerate(words):
            record(failed(f"cause {word}"), str(number))
        return [*ErrorGroup.objects.order_by("pk")]

    def test_what_is_merged_counts_and_is_listed_with_its_head_until_it_is_split_off(
        self, groups: list[ErrorGroup], operator: User
    ) -> None:
        one, two, three = groups
        deciding.merge(one, two, operator, reason="same", now=LATER)
        two.refresh_from_db()
        deciding.merge(two, three, operator, reason="", now=LATER)

        assert sorted(family(three.pk)) == [one.pk, two.pk, three.pk]
        assert self.found(three) == 6
        assert self.found(two) == 3
        [head] = group_figures.heads_seen(THEN)
        [figures] = group_figures.figures([head], since=THEN, now=LATER)
        assert (head, figures.counted.count) == (three, 6)

        assert deciding.split(two, operator, reason="", now=LATER) == three
        assert deciding.split(two, operator, reason="", now=LATER) is None
        assert self.found(three) == 3
        assert {head.pk for head in group_figures.heads_seen(THEN)} == {two.pk, three.pk}
        kinds = Decision.objects.filter(group=two).order_by("pk").values_list("kind", flat=True)
        assert [*kinds] == ["merged", "merged", "split"]

    def test_what_would_go_in_a_circle_or_leave_its_workflow_is_refused(
        self, groups: list[ErrorGroup], operator: User
    ) -> None:
        one, two, three = groups
        recording.record_detail(workflow("refunds"), "one", failed(), now=LATER)
        other = ErrorGroup.objects.get(workflow__name="refunds")
        deciding.merge(one, two, operator, reason="", now=LATER)

        for group, into in ((two, one), (two, two), (one, three), (three, one), (two, other)):
            with pytest.raises(deciding.CannotMerge):
                deciding.merge(group, into, operator, reason="", now=LATER)

    def found(self, group: ErrorGroup) -> int:
        """How many instances the filter finds, by counting and by listing."""
        filters = InstanceFilters(groups=Choice((str(group.pk),)))
        matching = Matching(Instance.objects.all(), filters)
        number = matching.rows.count()
        assert sum(rows.count() for rows in matching.lists) == number
        assert matching.counts.total() == number
        return number


@pytest.mark.django_db
class TestFigures:
    def test_a_group_is_as_it_was_decided_until_it_fails_again(self, operator: User) -> None:
        record(failed())
        group = ErrorGroup.objects.get()
        deciding.decide(
            group, Decision.Kind.RESOLVED, operator, now=THEN + minutes(10), version_id="v1"
        )
        assert self.state() is GroupState.RESOLVED

        record(failed(started=THEN + minutes(6)), "two")
        assert self.state() is GroupState.REGRESSED

        deciding.decide(group, Decision.Kind.NOTE, operator, now=LATER, reason="hm")
        assert self.state() is GroupState.REGRESSED
        deciding.decide(group, Decision.Kind.REOPENED, operator, now=LATER)
        assert self.state() is GroupState.NEW

    def test_a_page_asks_as_often_for_many_groups_as_for_one(
        self, django_assert_num_queries: Any
    ) -> None:
        for number, word in enumerate(["one", "two", "three", "four"]):
            record(failed(f"cause {word}"), str(number))

        for most in (1, 4):
            heads = group_figures.heads_seen(THEN)[:most]
            with django_assert_num_queries(3):
                group_figures.figures(heads, since=THEN, now=LATER)

    def test_in_brief_the_same_is_said_of_any_anchor(self) -> None:
        record(failed())
        [group] = group_figures.heads_seen(THEN)
        chance, grew = random.Random(3), set()
        for number in range(24 * 9):
            begins_on = THEN - timedelta(hours=number)
            count = chance.randrange(2) + 3 * (number < 4)
            facts = {"version_id": "v2", "last_seen_on": begins_on, "count": count}
            ErrorGroupHour.objects.create(group=group, begins_on=begins_on, **facts)
            WorkflowPeriod.objects.create(workflow=workflow(), begins_on=begins_on, errored=9)
        ErrorGroup.objects.update(first_seen_on=THEN - timedelta(days=9))
        [group] = group_figures.heads_seen(THEN)

        for ago in (None, 0.3, 1, 1.5, 5, 30, 100):
            anchor = ago and LATER - timedelta(hours=ago)
            asked = {"since": (anchor or LATER) - timedelta(days=1), "now": LATER, "anchor": anchor}
            [whole] = group_figures.figures([group], **asked)
            [brief] = group_figures.in_brief([group], **asked)
            assert (brief.state, brief.is_growing) == (whole.state, whole.is_growing), ago
            grew.add(whole.is_growing)
            for since in [anchor - timedelta(days=1), anchor.replace(minute=0)] if anchor else []:
                assert brief.since(since) == whole.since(since), ago
        assert grew == {True, False}

    def test_errored_instances_that_were_not_read_are_told(self) -> None:
        record(failed())
        page = recording.Listed([listed(id="two", status=types.Status.ERRORED)], LATER)
        recording.record_pages(workflow(), [page], now=LATER)

        assert group_figures.unread() == group_figures.unread([workflow().pk]) == 1
        assert group_figures.unread([workflow("refunds").pk]) == 0

    def state(self) -> GroupState:
        """The same whether every hour is read or many at once."""
        [group] = group_figures.heads_seen(THEN)
        [whole] = group_figures.figures([group], since=THEN, now=LATER)
        [brief] = group_figures.in_brief([group], since=THEN, now=LATER)
        assert brief.state == whole.state
        assert brief.since(THEN) == whole.since(THEN)
        return whole.state
