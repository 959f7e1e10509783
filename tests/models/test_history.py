"""What began and ended in each period is counted once, as it is recorded, and stays counted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.cloudflare import parsing
from dashboard.models import (
    CountsThen,
    Instance,
    Tally,
    UncountedPast,
    Workflow,
    WorkflowPeriod,
    bulk,
)
from dashboard.models.durations import rounded
from dashboard.models.history import Periods, period_of, text
from dashboard.models.history_folding import fold_history, prune_history
from dashboard.models.history_past import count_past
from dashboard.models.recording import (
    Listed,
    record_absence,
    record_detail,
    record_pages,
    record_workflows,
)
from tests import rows
from tests.rows import THEN, minutes

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LATER = THEN + minutes(9)
Totals = tuple[int, int, int, int]


def listed(
    instance_id: str,
    status: str,
    *,
    created: datetime = THEN,
    started: datetime | None = None,
    ended: datetime | None = None,
    version: str = "v1",
) -> dict[str, Any]:
    def text(moment: datetime | None) -> str | None:
        return moment and moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {
        "id": instance_id,
        "status": status,
        "version_id": version,
        "trigger_source": "api",
        "created_on": text(created),
        "modified_on": text(ended or started or created),
        "started_on": text(started),
        "ended_on": text(ended),
    }


def record(*told: dict[str, Any], now: datetime = LATER, are_new: bool = False) -> Workflow:
    workflow = rows.workflow()
    page = Listed([parsing.instance(one) for one in told], now)
    record_pages(workflow, [page], now=now, are_new=are_new)
    return workflow


def read(instance_id: str, now: datetime, **told: Any) -> None:
    detail = parsing.instance_detail(told, outputs_are_text=True)
    record_detail(rows.workflow(), instance_id, detail, now=now)


def totals() -> Totals:
    counted = WorkflowPeriod.objects.values_list("created", "completed", "errored", "terminated")
    created, completed, errored, terminated = map(sum, zip((0, 0, 0, 0), *counted, strict=True))
    return created, completed, errored, terminated


def test_an_instance_counts_where_it_was_created_and_where_it_ended() -> None:
    record(
        listed("one", "complete", started=THEN + minutes(1), ended=THEN + minutes(12)),
        listed("two", "errored", ended=THEN + minutes(13)),
        listed("three", "running", version="v2"),
    )

    found = {
        (row.begins_on - THEN, row.version_id): (row.created, row.completed, row.errored)
        for row in WorkflowPeriod.objects.all()
    }
    assert found == {
        (minutes(0), "v1"): (2, 0, 0),
        (minutes(0), "v2"): (1, 0, 0),
        (minutes(10), "v1"): (0, 1, 1),
    }
    assert WorkflowPeriod.objects.get(completed=1).durations == {str(rounded(660_000)): 1}


@pytest.mark.parametrize("are_new", [True, False])
def test_the_periods_of_a_page_are_added_in_one_statement(are_new: bool) -> None:
    told = [
        listed(str(one), "complete", started=THEN, ended=THEN + minutes(one)) for one in range(50)
    ]
    with CaptureQueriesContext(connection) as asked:
        record(*told, are_new=are_new)

    adding = [one["sql"] for one in asked if "workflowperiod" in one["sql"].lower()]
    assert [one.split()[0] for one in adding].count("INSERT") == 1
    assert totals() == (50, 50, 0, 0)


def test_the_same_end_told_by_list_and_detail_counts_once() -> None:
    ended = THEN + minutes(3)
    record(listed("one", "running", started=THEN))
    record(listed("one", "errored", started=THEN, ended=ended))
    read("one", THEN + minutes(10), status="errored", start=THEN.isoformat(), end=ended.isoformat())
    record(listed("one", "errored", started=THEN, ended=ended), now=THEN + minutes(11))

    assert totals() == (1, 0, 1, 0)


def test_an_end_of_which_nothing_is_known_for_a_while_counts_once() -> None:
    ended = THEN + minutes(3)
    record(listed("one", "errored", ended=ended))
    record(listed("one", "unknown", ended=ended))
    record(listed("one", "errored", ended=ended))

    assert totals() == (1, 0, 1, 0)


def test_a_failure_stays_counted_when_the_instance_is_restarted_and_its_next_end_counts_too() -> (
    None
):
    again = THEN + minutes(20)
    record(listed("one", "errored", started=THEN, ended=THEN + minutes(3)))
    record(listed("one", "running", started=again), now=again)
    assert totals() == (1, 0, 1, 0)

    record(listed("one", "errored", started=again, ended=again + minutes(1)), now=again)
    record(
        listed("one", "complete", started=again + minutes(9), ended=again + minutes(12)),
        now=again + minutes(12),
    )
    assert totals() == (1, 1, 2, 0)

    # Between two looks: only its later start tells.
    record(
        listed("one", "complete", started=again + minutes(20), ended=again + minutes(21)),
        now=again + minutes(22),
    )
    assert totals() == (1, 2, 2, 0)


def test_an_instance_that_is_read_before_a_list_shows_it_counts_once_and_where_it_was_created() -> (
    None
):
    read("one", THEN + minutes(9), status="complete")
    record(listed("one", "complete", ended=THEN + minutes(6)), now=THEN + minutes(10))

    assert totals() == (1, 1, 0, 0)
    assert WorkflowPeriod.objects.get(created=1).begins_on == THEN


def test_an_id_that_is_used_again_is_another_instance() -> None:
    record(listed("one", "complete", ended=THEN + minutes(1)))
    record(
        listed("one", "complete", created=THEN + DAY, ended=THEN + DAY), now=THEN + DAY + minutes(1)
    )

    assert totals() == (2, 2, 0, 0)


def test_what_expires_or_is_forgotten_stays_counted() -> None:
    record(listed("one", "errored", ended=THEN + minutes(1)))
    record_absence(Instance.objects.get(), now=THEN + DAY)
    Instance.objects.all().delete()

    assert totals() == (1, 0, 1, 0)


def test_rows_that_another_adds_at_the_same_moment_are_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = listed("one", "errored"), listed("two", "errored")
    compare = bulk.compare

    def compare_before_another_writes(*given: Any) -> Any:
        found = compare(*given)
        monkeypatch.undo()
        record(first)
        return found

    monkeypatch.setattr(bulk, "compare", compare_before_another_writes)
    record(first, second)

    assert totals() == (2, 0, 2, 0)


STATES = st.sampled_from(["running", "complete", "errored", "terminated", "unknown", "new-word"])
SEEN = st.lists(
    st.tuples(st.sampled_from(["page", "new page", "detail"]), st.sampled_from("abc"), STATES),
    max_size=12,
)


@settings(max_examples=60)
@given(SEEN)
def test_every_instance_is_created_once_and_the_last_end_of_each_is_counted(
    seen: list[tuple[str, str, str]],
) -> None:
    Instance.objects.all().delete()
    WorkflowPeriod.objects.all().delete()
    Tally.objects.all().delete()
    for number, (kind, instance_id, status) in enumerate(seen):
        now = THEN + minutes(number)
        if kind == "detail":
            read(instance_id, now, status=status)
        else:
            record(listed(instance_id, status), now=now, are_new=kind == "new page")

    created, *ends = totals()
    standing = Counter(Instance.objects.values_list("status", flat=True))
    assert created == Instance.objects.count()
    for number, status in zip(ends, ["complete", "errored", "terminated"], strict=True):
        assert number >= standing[status]
    assert all(number >= 0 for number in (created, *ends))


def test_old_pages_are_added_to_hours_and_days_from_the_start() -> None:
    now = THEN + 40 * DAY
    record(
        listed("one", "complete", created=THEN, started=THEN, ended=THEN + minutes(80)),
        listed("two", "complete", created=now - 4 * DAY, started=now, ended=now + minutes(1)),
        now=now,
    )

    assert period_of(THEN + minutes(80), now) == THEN.replace(hour=0)
    assert period_of(now - 4 * DAY + minutes(50), now) == now - 4 * DAY
    assert totals() == (2, 2, 0, 0)
    assert WorkflowPeriod.objects.get(begins_on=THEN.replace(hour=0)).durations == {}


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=60)), min_size=1))
def test_many_moments_fall_into_the_same_periods_as_each_of_them(agos: list[timedelta]) -> None:
    periods = Periods(LATER)
    moments = [text(LATER - ago) for ago in agos]

    assert periods.begin_all(moments) == [periods.begin(moment) for moment in moments]


def test_periods_become_hours_and_then_days_and_no_number_changes() -> None:
    told = [
        listed(str(one), "complete", created=THEN, started=THEN, ended=THEN + minutes(one))
        for one in range(130)
    ]
    record(*told, now=THEN)
    periods = WorkflowPeriod.objects.count()
    assert periods == 26

    assert fold_history(now=THEN + DAY, is_time_up=lambda: False) == 0
    assert fold_history(now=THEN + 4 * DAY, is_time_up=lambda: True) == 0
    assert fold_history(now=THEN + 4 * DAY, is_time_up=lambda: False) == 3
    assert WorkflowPeriod.objects.count() == 3
    assert totals() == (130, 130, 0, 0)
    assert sum(sum(row.durations.values()) for row in WorkflowPeriod.objects.all()) == 130

    record(
        listed("late", "errored", ended=THEN + minutes(7)), now=THEN + 4 * DAY
    )  # Into the hour that there is.
    assert WorkflowPeriod.objects.count() == 3

    assert fold_history(now=THEN + 40 * DAY, is_time_up=lambda: False) == 1
    assert WorkflowPeriod.objects.count() == 1
    assert totals() == (131, 130, 1, 0)
    assert fold_history(now=THEN + 40 * DAY, is_time_up=lambda: False) == 0


def test_ends_since_the_workflow_is_watched_are_counted_for_good() -> None:
    record(  # It was first seen at THEN.
        listed("old", "errored", created=THEN - DAY, ended=THEN - minutes(10)),
        listed("new", "errored", ended=THEN + minutes(1)),
    )
    record(listed("new", "running", started=THEN + minutes(5)))
    record(listed("new", "complete", ended=THEN + minutes(6)))

    ended = dict(Tally.objects.values_list("status", "ended"))
    assert ended == {"errored": 1, "complete": 1, "running": 0}


def test_instances_that_were_held_before_history_was_kept_are_counted_piece_by_piece() -> None:
    for one in range(7):
        rows.instance(str(one), "errored", ended_on=THEN - minutes(one), status_seen_at=THEN)
    rows.instance("late", "running", status_seen_at=THEN)
    newest = Instance.objects.order_by("-pk")[0]
    UncountedPast.objects.create(began_at=THEN + minutes(1), last_pk=newest.pk)
    record(listed("late", "complete", ended=THEN + minutes(5)), listed("new", "running"))
    assert totals() == (1, 1, 0, 0)

    assert count_past(now=THEN + minutes(9), is_time_up=lambda: True) == 0
    assert count_past(now=THEN + minutes(9), is_time_up=lambda: False) == 8
    assert totals() == (9, 1, 7, 0)
    assert not UncountedPast.objects.exists()
    assert count_past(now=THEN + minutes(9), is_time_up=lambda: False) == 0


def counted(now: datetime, **counts: int) -> None:
    told = parsing.workflow(
        {"id": "w", "name": "orders", "instances": counts, "created_on": THEN.isoformat()}
    )
    record_workflows(rows.account(), [told], now=now)


def test_cloudflares_counts_are_kept_when_they_change_once_in_a_minute() -> None:
    counted(THEN, errored=1)
    counted(THEN + minutes(3), errored=1)
    counted(THEN + minutes(5), errored=2)
    counted(THEN + minutes(5.5), errored=3)

    kept = CountsThen.objects.order_by("counted_at").values_list("counts__errored", "counted_at")
    assert [*kept] == [(1, THEN), (3, THEN + minutes(5.5))]


def test_the_counts_at_a_moment_are_the_last_before_it() -> None:
    counted(THEN, errored=1)
    counted(THEN + minutes(5), errored=2)
    [pk] = Workflow.objects.values_list("pk", flat=True)

    assert CountsThen.objects.at(THEN - minutes(1)) == {}
    assert CountsThen.objects.at(THEN + minutes(4))[pk].counts == {"errored": 1}
    found = CountsThen.objects.at(THEN + minutes(60))[pk]
    assert (found.counts, found.counted_at) == ({"errored": 2}, THEN + minutes(5))


def test_of_old_counts_the_last_of_each_hour_and_then_of_each_day_stay() -> None:
    for one in range(0, 150, 10):
        counted(THEN + minutes(one), errored=one)

    assert fold_history(now=THEN + 4 * DAY, is_time_up=lambda: False) == 3
    kept = CountsThen.objects.order_by("counted_at").values_list("counts__errored", flat=True)
    assert [*kept] == [50, 110, 140]

    assert fold_history(now=THEN + 40 * DAY, is_time_up=lambda: False) == 1
    assert CountsThen.objects.get().counts == {"errored": 140}


def test_history_is_forgotten_from_its_older_end() -> None:
    record(listed("old", "complete", ended=THEN), listed("new", "complete", created=THEN + DAY))
    counted(THEN, errored=1)
    counted(THEN + DAY, errored=2)

    assert prune_history(before=THEN + minutes(5), is_time_up=lambda: True) == 0
    assert prune_history(before=THEN + minutes(5), is_time_up=lambda: False) == 2
    assert CountsThen.objects.get().counts == {"errored": 2}
    assert totals()[0] == 1
