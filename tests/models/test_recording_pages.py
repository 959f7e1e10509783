"""What lists say is written once: nothing for what is known, nothing lost, nothing twice."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import api
from dashboard.cloudflare import parsing, types
from dashboard.cloudflare.types import Status, Trigger
from dashboard.models import Instance, Workflow, bulk, bulk_insert, merging
from dashboard.models.recording import SEEN_EVERY, Listed, Recorded, record_pages
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


WHOLE = {
    "id": "one",
    "status": "complete",
    "version_id": "v1",
    "trigger_source": "api",
    "created_on": "2026-11-20T03:00:00.120Z",
    "modified_on": "2026-11-20T03:00:03.001Z",
    "started_on": "2026-11-20T03:00:01.100Z",
    "ended_on": "2026-11-20T03:00:03.001Z",
}
#: Rows as lists send them, whole or thin, with odd values among the usual ones.
ODD = st.sampled_from(
    [
        *(None, "", 7, True, [], {}, "None", "new\x1fword", "\x1e", "two\nlines", "a\0b", "Tea-Z"),
        "2026-W40-1T00:00:00.123Z",
    ]
)
SENT = st.builds(
    lambda usual, odd, gone: (
        {k: v for k, v in (usual | odd).items() if k not in gone} | {"id": "one"}
    ),
    st.fixed_dictionaries(
        {name: st.just(value) for name, value in WHOLE.items()}
        | {"status": st.sampled_from(["complete", "running", "queued"])}
        | {name: WRITTEN | st.just(WHOLE[name]) for name in WHOLE if name.endswith("_on")}
    ),
    st.dictionaries(st.sampled_from([*WHOLE]), ODD, max_size=1),
    st.sets(st.sampled_from([*WHOLE]), max_size=1),
)


def told(instance_id: str = "one", status: str = "running", **facts: Any) -> types.Instance:
    return types.Instance(instance_id, Status(status), **({"created_on": THEN} | facts))


def record(workflow: Workflow, listed: Sequence[types.Instance], now: datetime) -> Recorded:
    """Writes one page of the workflow's list, which was asked for just now."""
    return record_pages(workflow, [Listed(listed, now)], now=now)


def writes(queries: CaptureQueriesContext) -> list[str]:
    return [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]


@pytest.mark.django_db
def test_rows_that_say_nothing_new_write_and_lock_nothing() -> None:
    workflow = rows.workflow()
    listed = [
        parsing.instance(WHOLE | {"id": "running", "status": "running"}),
        parsing.instance(WHOLE),
        told("strange \x00", "x" * 40),
        told("without a version"),
    ]
    record(workflow, listed, THEN)
    later = THEN + SEEN_EVERY

    with CaptureQueriesContext(connection) as queries:
        recorded = record(workflow, listed[:2], later)

    assert writes(queries) == []
    assert len(queries) == 1
    assert (recorded.new, recorded.changed) == (0, 0)
    assert recorded.seen == [Instance.objects.get(instance_id="running").pk]
    with CaptureQueriesContext(connection) as queries:
        record(workflow, listed[3:], THEN)
    assert writes(queries) == []
    assert record(workflow, listed, later).changed == 0


@pytest.mark.django_db
def test_an_unfinished_row_is_marked_as_seen_once_in_a_while_and_a_finished_one_never() -> None:
    workflow = rows.workflow()
    listed = [told("running"), told("complete", "complete")]
    record(workflow, listed, THEN)
    later = THEN + SEEN_EVERY + timedelta(seconds=1)

    record(workflow, listed, later)

    assert Instance.objects.get(instance_id="running").seen_at == later
    assert Instance.objects.get(instance_id="complete").seen_at == THEN


@pytest.mark.django_db
def test_pages_of_two_workflows_in_one_transaction_stay_apart() -> None:
    first, second = rows.workflow("first"), rows.workflow("second")

    with transaction.atomic():
        assert record(first, [told("one"), told("two")], THEN).new == 2
        assert record(second, [told("three")], THEN).new == 1

    assert {*first.instances.values_list("instance_id", flat=True)} == {"one", "two"}
    assert [row.instance_id for row in second.instances.all()] == ["three"]


@pytest.mark.django_db
def test_a_row_that_was_sent_in_two_lines_hides_no_other() -> None:
    workflow = rows.workflow()
    odd = parsing.instance(WHOLE | {"id": "odd", "version_id": "two\nlines"})
    listed = [odd, parsing.instance(WHOLE)]
    record(workflow, listed, THEN)
    ended = parsing.instance(WHOLE | {"status": "errored", "modified_on": WHOLE["ended_on"]})

    assert record(workflow, listed, THEN).changed == 0
    assert record(workflow, [odd, ended], THEN).changed == 1


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
    record(workflow, [told(str(number)) for number in range(1500)], THEN)
    ended = [
        told(str(number), "complete", started_on=THEN, ended_on=THEN + minutes(1))
        for number in range(1500)
    ]

    recorded = record(workflow, ended, THEN + minutes(2))

    assert recorded.changed == 1500
    assert Instance.objects.filter(status="complete", duration_ms=60_000).count() == 1500
    assert record(workflow, ended, THEN).changed == 0


@given(sent=st.lists(SENT, min_size=1, max_size=3))
def test_rows_read_column_by_column_hold_what_each_alone_says(sent: list[types.Json]) -> None:
    listed = [parsing.instance(row) for row in sent]

    try:
        columns = bulk_insert._usual_columns(listed)
    except (KeyError, TypeError, ValueError):
        return
    assert [*zip(*columns, strict=True)] == [bulk_insert._values_of(row, "now") for row in listed]


def test_most_rows_are_read_column_by_column() -> None:
    bulk_insert._usual_columns([parsing.instance(row) for row in islice(api.rows(), 1000)])


@given(moment=st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 -- bounds have no zone
def test_a_moment_is_written_as_django_writes_it_in_sqlite(moment: datetime) -> None:
    written = connections["default"].ops.adapt_datetimefield_value
    if connection.vendor == "sqlite":
        assert bulk_insert.text_of(moment) == written(moment)


@pytest.mark.django_db
@given(first=SENT, second=SENT)
def test_what_is_found_to_be_the_same_at_a_glance_says_the_same(
    first: types.Json, second: types.Json
) -> None:
    workflow = rows.workflow()
    Instance.objects.all().delete()
    record(workflow, [parsing.instance(first)], THEN)
    again = parsing.instance(second)
    [known] = bulk.known_rows(workflow.pk, ["one"]).values()

    found = bulk.compare(workflow.pk, {"one": again})

    assert found.fresh == []
    assert bool(found.news) != known.says(again)


@pytest.mark.django_db
@pytest.mark.parametrize("sent", [WHOLE, WHOLE | {"started_on": None, "ended_on": None}])
def test_a_row_as_cloudflare_sends_it_is_found_to_be_the_same_at_a_glance(sent: types.Json) -> None:
    workflow = rows.workflow()
    record(workflow, [parsing.instance(sent)], THEN)

    said, _ = bulk.glance(workflow.pk, ["one"])["one"]
    assert [said] == bulk.texts_told([parsing.instance(sent)])


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

    def record_some(turn: int) -> None:
        try:
            for number in range(12):
                listed = [
                    told(str(name), statuses[(turn + number) % 4], modified_on=THEN)
                    for name in range(100)
                ]
                now = THEN + minutes(number)
                record(workflow, listed[:: (-1) ** turn], now)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=record_some, args=[turn]) for turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert Instance.objects.count() == 100


@pytest.mark.django_db
def test_pages_taken_for_new_ones_are_added_without_looking_and_else_treated_as_any() -> None:
    home = rows.workflow()
    listed = [parsing.instance(row) for row in islice(api.rows(), 130)]
    newer, older = Listed(listed[:60], THEN), Listed(listed[60:], THEN)

    with CaptureQueriesContext(connection) as asked:
        assert record_pages(home, [newer], now=THEN, are_new=True) == Recorded(new=60)
    assert not any(query["sql"].startswith("SELECT") for query in asked)
    changed = parsing.instance(listed[0].raw | {"status": "paused", "modified_on": None})
    mixed = Listed([changed, *listed[1:60]], THEN + minutes(1))

    recorded = record_pages(home, [mixed, older], now=THEN + minutes(1), are_new=True)

    assert (recorded.new, recorded.changed) == (70, 1)
    assert Instance.objects.count() == 130
    assert Instance.objects.get(instance_id=changed.id).status == "paused"
