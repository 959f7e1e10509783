"""What lists say is written once: nothing for what is known, nothing lost, nothing twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare import parsing, types
from dashboard.cloudflare.types import Status, Trigger
from dashboard.models import Instance, bulk, merging
from dashboard.models.recording import SEEN_EVERY, Listed, record_page, record_pages
from tests import rows
from tests.rows import THEN, minutes

MOMENTS = st.none() | st.integers(0, 3).map(lambda number: THEN + minutes(number))
LISTED = st.builds(
    types.Instance,
    id=st.just("one"),
    status=st.sampled_from(["complete", "errored", "running", "paused", "new-word"]).map(Status),
    created_on=MOMENTS,
    modified_on=MOMENTS,
    started_on=MOMENTS,
    ended_on=MOMENTS,
    version_id=st.sampled_from(["", "v1", "v2"]),
    trigger=st.sampled_from([Trigger.API, Trigger.UNKNOWN]),
)
#: Every way in which a time was seen to be written, and some more.
WRITTEN = st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)).flatmap(  # noqa: DTZ001 -- bounds have no zone
    lambda moment: st.sampled_from(
        [
            moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            moment.replace(microsecond=0).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            moment.isoformat(timespec="seconds").replace("+00:00", "+0000"),
            moment.isoformat(),
        ]
    )
)


def told(instance_id: str = "one", status: str = "running", **facts: Any) -> types.Instance:
    return types.Instance(instance_id, Status(status), **({"created_on": THEN} | facts))


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]


@pytest.mark.django_db
def test_rows_that_say_nothing_new_write_and_lock_nothing() -> None:
    workflow = rows.workflow()
    listed = [
        told("running", version_id="v1"),
        told("complete", "complete", ended_on=THEN, trigger=Trigger.API),
        told("strange \x00", "x" * 40),
        told("without a version"),
    ]
    record_page(workflow, listed, asked_at=THEN, now=THEN)
    later = THEN + SEEN_EVERY

    with CaptureQueriesContext(connection) as queries:
        recorded = record_page(workflow, listed[:2], asked_at=later, now=later)

    assert writes(queries) == []
    assert len(queries) == 1
    assert (recorded.new, recorded.changed) == (0, 0)
    assert recorded.seen == [Instance.objects.get(instance_id="running").pk]
    assert record_page(workflow, listed, asked_at=later, now=later).changed == 0


@pytest.mark.django_db
def test_an_unfinished_row_is_marked_as_seen_once_in_a_while_and_a_finished_one_never() -> None:
    workflow = rows.workflow()
    listed = [told("running"), told("complete", "complete")]
    record_page(workflow, listed, asked_at=THEN, now=THEN)
    later = THEN + SEEN_EVERY + timedelta(seconds=1)

    record_page(workflow, listed, asked_at=later, now=later)

    assert Instance.objects.get(instance_id="running").seen_at == later
    assert Instance.objects.get(instance_id="complete").seen_at == THEN


@pytest.mark.django_db
def test_of_a_row_that_came_twice_the_later_one_counts() -> None:
    workflow = rows.workflow()
    pages = [
        Listed([told(), told("two")], THEN),
        Listed([told(status="complete", ended_on=THEN + minutes(1))], THEN + minutes(1)),
    ]

    recorded = record_pages(workflow, pages, now=THEN + minutes(1))

    assert recorded.new == 2
    assert Instance.objects.get(instance_id="one").status == "complete"


@pytest.mark.django_db
def test_many_rows_that_changed_are_all_written() -> None:
    workflow = rows.workflow()
    record_page(workflow, [told(str(number)) for number in range(1500)], asked_at=THEN, now=THEN)
    ended = [
        told(str(number), "complete", started_on=THEN, ended_on=THEN + minutes(1))
        for number in range(1500)
    ]

    recorded = record_page(workflow, ended, asked_at=THEN + minutes(2), now=THEN + minutes(2))

    assert recorded.changed == 1500
    assert Instance.objects.filter(status="complete", duration_ms=60_000).count() == 1500
    assert record_page(workflow, ended, asked_at=THEN, now=THEN).changed == 0


@pytest.mark.django_db
@given(text=WRITTEN)
def test_a_new_row_holds_the_moments_that_were_sent(text: str) -> None:
    moment = parsing.instance({"created_on": text}).created_on
    assert moment is not None
    written = bulk._moment(moment, text)

    assert written == bulk.text_of(moment)
    if connection.vendor == "sqlite":
        assert written == connection.ops.adapt_datetimefield_value(moment)


@given(first=LISTED, second=LISTED, is_live=st.booleans(), minute=st.integers(0, 3))
def test_what_the_quick_comparison_passes_over_would_change_nothing(
    first: types.Instance, second: types.Instance, is_live: bool, minute: int
) -> None:
    facts = {"created_on": THEN, "version_id": "", "trigger": "unknown"}
    row = Instance(**facts | merging.listed_facts(first), read_at=THEN + minutes(minute))
    known = tuple(getattr(row, name) for name in merging.LISTED)
    known_row = bulk.Known((*known, True), 1, "")

    if known_row.says(second):
        merge = merging.merge_listed(row, second, asked_at=THEN, is_list_live=is_live)
        assert (merge.fields, merge.change) == ({}, None)
    assert known_row.says(replace(first, created_on=row.created_on))


@pytest.mark.django_db(transaction=True)
def test_processes_that_write_the_same_pages_in_any_order_do_no_harm() -> None:
    workflow = rows.workflow()
    statuses = ["running", "paused", "errored", "complete"]
    failures: list[Exception] = []

    def record(turn: int) -> None:
        try:
            for number in range(12):
                listed = [
                    told(str(name), statuses[(turn + number) % 4], modified_on=THEN)
                    for name in range(100)
                ]
                now = THEN + minutes(number)
                record_page(workflow, listed[:: (-1) ** turn], asked_at=now, now=now)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=record, args=[turn]) for turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Instance.objects.count() == 100
