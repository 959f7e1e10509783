"""The counts by status are true after whatever was written, by whomever, and after any kill."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.cloudflare import parsing
from dashboard.models import Instance, Tally, Workflow, bulk, recording, tallies
from dashboard.models.pruning import prune
from dashboard.models.recording import Listed, record_pages
from tests import rows
from tests.rows import THEN, minutes

STATUSES = ["complete", "errored", "running", "paused", "new-word"]
IDS = ["one", "two", "three"]
#: What may be done to the instances of a workflow, in any order, at any minute.
WRITES = st.tuples(
    st.sampled_from(["page", "page behind new ones", "detail", "absence", "prune"]),
    st.sampled_from(["orders", "mails"]),
    st.dictionaries(st.sampled_from(IDS), st.sampled_from(STATUSES), min_size=1),
    st.integers(0, 9),
)


def row(instance_id: str, status: str, created: int = 0) -> dict[str, Any]:
    at = (THEN + minutes(created)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "id": instance_id,
        "status": status,
        "version_id": "v1",
        "trigger_source": "api",
        "created_on": at,
        "modified_on": at,
        "started_on": None,
        "ended_on": None,
    }


def write(kind: str, workflow: Workflow, told: dict[str, str], minute: int) -> None:
    now = THEN + minutes(minute)
    if kind.startswith("page"):
        listed = [parsing.instance(row(*one)) for one in told.items()]
        record_pages(workflow, [Listed(listed, now)], now=now, are_new=kind != "page")
    elif kind == "detail":
        for instance_id, status in told.items():
            detail = parsing.instance_detail({"status": status}, outputs_are_text=True)
            recording.record_detail(workflow, instance_id, detail, now=now)
    elif kind == "absence":
        for known in Instance.objects.filter(workflow=workflow, instance_id__in=told):
            recording.record_absence(known, now=now)
    else:
        prune(keep=timedelta(0), now=THEN + timedelta(days=40), is_time_up=lambda: False)


def counted() -> dict[tuple[int, str], tuple[int, int]]:
    """(held, live) of each workflow and status, one by one."""
    held, live = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    for one in Instance.objects.all():
        held[one.workflow_id, one.status] += 1
        live[one.workflow_id, one.status] += one.expired_at is None
    return {key: (number, live[key]) for key, number in held.items()}


def tallied() -> dict[tuple[int, str], tuple[int, int]]:
    return {
        (tally.workflow_id, tally.status): (tally.held, tally.live)
        for tally in Tally.objects.all()
        if tally.held or tally.live
    }


@pytest.mark.django_db
@settings(max_examples=60)
@given(st.lists(WRITES, max_size=8))
def test_whatever_is_written_the_tallies_are_what_counting_gives(
    written: list[tuple[str, str, dict[str, str], int]],
) -> None:
    Instance.objects.all().delete()
    Tally.objects.all().delete()
    for kind, name, told, minute in written:
        write(kind, rows.workflow(name), told, minute)
        assert tallied() == counted()


@pytest.mark.django_db(transaction=True)
def test_they_are_true_when_many_write_the_same_instances_at_once() -> None:
    workflows = [rows.workflow("orders"), rows.workflow("mails")]
    failures: list[Exception] = []

    def write_some(turn: int) -> None:
        try:
            for number in range(10):
                told = {str(one): STATUSES[(turn + number + one) % 5] for one in range(20)}
                kind = "page" if (turn + number) % 3 else "absence"
                home = workflows[(turn + number) % 2]
                write(kind, home, told, turn + number)
                write("detail", home, {str(number): STATUSES[turn]}, number)
        except Exception as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=write_some, args=[turn]) for turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert tallied() == counted()


@pytest.mark.django_db(transaction=True)
def test_rows_that_another_has_added_since_they_were_looked_for_are_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workflow = rows.workflow()
    first, both = {"one": "running"}, {"one": "running", "two": "complete"}
    compare = bulk.compare

    def compare_before_another_writes(*given: Any) -> Any:
        found = compare(*given)
        monkeypatch.undo()
        write("page", workflow, first, 0)
        return found

    monkeypatch.setattr(bulk, "compare", compare_before_another_writes)
    write("page", workflow, both, 1)

    assert tallies.counts() == {"running": 1, "complete": 1}
    assert tallied() == counted()


@pytest.mark.django_db(transaction=True)
def test_a_write_that_was_cut_off_leaves_the_tallies_as_they_were() -> None:
    workflow = rows.workflow()
    write("page", workflow, {"one": "running"}, 0)

    with transaction.atomic():
        write("page", workflow, {"one": "complete", "two": "running"}, 1)
        transaction.set_rollback(True)

    assert tallied() == counted() == {(workflow.pk, "running"): (1, 1)}


@pytest.mark.django_db
def test_counting_anew_mends_what_is_wrong() -> None:
    workflow = rows.workflow()
    write("page", workflow, {"one": "running", "two": "errored"}, 0)
    Tally.objects.filter(status="errored").delete()
    Tally.objects.filter(status="running").update(held=7, live=0)

    tallies.recount(workflow.pk)

    assert tallied() == counted()


@pytest.mark.django_db
def test_they_are_read_for_all_workflows_for_some_and_for_each() -> None:
    orders, mails = rows.workflow("orders"), rows.workflow("mails")
    write("page", orders, {"one": "running", "two": "errored"}, 0)
    write("page", mails, {"one": "running"}, 0)
    write("absence", mails, {"one": ""}, 9)

    assert tallies.counts() == {"running": 2, "errored": 1}
    assert tallies.counts([mails.pk]) == {"running": 1}
    assert tallies.counts_by_workflow([orders.pk, mails.pk]) == {
        orders.pk: {"running": 1, "errored": 1},
        mails.pk: {"running": 1},
    }
    assert tallies.live_counts([orders.pk, mails.pk]) == {
        orders.pk: {"running": 1, "errored": 1},
        mails.pk: {},
    }
