"""Whatever Cloudflare sends can be written down, twice and by two at once, in every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from dashboard.cloudflare import parsing, types
from dashboard.cloudflare.types import Status
from dashboard.models import Account, Instance, User, Version, Workflow, recording
from dashboard.models.storing import storable, storable_json
from tests.rows import THEN, account, minutes, workflow

ODD = "a\0b\ud800" + "x" * 5000
HUGE = 10**40
LATER = THEN + timedelta(hours=1)


@pytest.fixture
def watched(db: None) -> Account:
    return account()


def detail(**told: Any) -> types.InstanceDetail:
    return parsing.instance_detail({"status": "running", **told}, outputs_are_text=True)


def page(*listed: types.Instance, workflow: Workflow) -> recording.Recorded:
    pages = [recording.Listed(listed, LATER)]
    return recording.record_pages(workflow, pages, now=LATER)


def test_texts_longer_than_columns_and_odd_characters_are_held(watched: Account) -> None:
    told = types.Workflow(
        name="orders",
        id=ODD,
        class_name=ODD,
        script_name=ODD,
        counts={ODD: HUGE},
        schedules=(types.Schedule(cron=ODD),),
    )

    [row] = recording.record_workflows(watched, [told], now=LATER)
    [again] = recording.record_workflows(watched, [told], now=LATER)

    row.refresh_from_db()
    assert (row.pk, row.class_name[:4], len(row.class_name)) == (again.pk, "a\ufffdb\ufffd", 255)
    assert Workflow.objects.count() == 1


def test_a_version_is_held_whatever_it_says(watched: Account) -> None:
    told = types.Version(
        id="v1",
        class_name=ODD,
        language=ODD,
        concurrency_limit=HUGE,
        step_limit=-1,
        success_retention=HUGE,
        error_retention=ODD,
    )

    recording.record_versions(workflow(), [told], now=LATER)

    version = Version.objects.get()
    assert version.concurrency_limit == 2**63 - 1
    assert version.step_limit is None
    assert len(version.language) == 32


def test_an_instance_is_held_whatever_its_list_row_says(watched: Account) -> None:
    told = types.Instance(
        id="one", status=Status(ODD), version_id=ODD, trigger=types.Trigger(ODD), created_on=THEN
    )

    for _ in range(2):
        page(told, workflow=workflow())

    row = Instance.objects.get()
    assert len(row.status) == len(row.trigger) == 32
    assert row.generation == 1


@pytest.mark.parametrize("odd", ["a\0b", "a\ud800", "x" * 272])
def test_what_no_column_can_name_is_left_out_and_the_rest_is_held(
    watched: Account, odd: str
) -> None:
    recording.record_workflows(watched, [types.Workflow(odd), types.Workflow("fine")], now=LATER)
    home = Workflow.objects.get(name="fine")
    page(types.Instance(odd, Status.RUNNING), types.Instance("fine", Status.RUNNING), workflow=home)
    recording.record_versions(home, [types.Version(odd), types.Version("fine")], now=LATER)

    assert list(Workflow.objects.values_list("name", flat=True)) == ["fine"]
    assert list(Instance.objects.values_list("instance_id", flat=True)) == ["fine"]
    assert list(Version.objects.values_list("version_id", flat=True)) == ["fine"]


@pytest.mark.parametrize("step_count", [HUGE, -1, 2**63 - 1])
def test_a_detail_is_held_whole_whatever_it_says(watched: Account, step_count: int) -> None:
    told = detail(
        status=ODD,
        versionId=ODD,
        step_count=step_count,
        error={"name": ODD, "message": ODD},
        output={"\0": [HUGE, ODD]},
    )

    row = recording.record_detail(workflow(), "one", told, now=LATER)

    row = Instance.objects.get(pk=row.pk)
    assert len(row.error_name) == 200
    assert row.error_message.startswith("a\ufffdb")
    assert row.last_detail is not None
    assert row.last_detail.raw == told.raw


def test_the_pages_show_what_was_held(client: Client, watched: Account, viewer: User) -> None:
    [home] = recording.record_workflows(
        watched, [types.Workflow("orders", class_name=ODD, counts={ODD: HUGE})], now=LATER
    )
    told = types.Instance("one", Status(ODD[:40]), version_id=ODD, created_on=THEN)
    page(told, workflow=home)
    recording.record_detail(home, "one", detail(error={"name": ODD, "message": ODD}), now=LATER)
    client.force_login(viewer)

    for path in ("/", "/instances/", home.get_absolute_url()):
        assert client.get(path).status_code == 200


def test_a_slower_reader_does_not_overwrite_a_later_read(watched: Account) -> None:
    home = workflow()
    recording.record_detail(home, "one", detail(status="complete"), now=LATER)

    row = recording.record_detail(home, "one", detail(status="running"), now=LATER - minutes(1))

    assert row.status == "complete"


def test_an_instance_that_is_gone_is_kept_but_not_one_that_is_too_new(watched: Account) -> None:
    home = workflow()
    old, new = (
        recording.record_detail(home, id_, detail(queued=when.isoformat()), now=LATER)
        for id_, when in (("old", THEN), ("new", LATER))
    )

    assert recording.record_absence(old, now=LATER).expired_at == LATER
    assert recording.record_absence(new, now=LATER).expired_at is None
    assert [change.kind for change in old.changes.all()] == ["expired"]


def test_a_restart_counts_up_and_keeps_what_was_before(watched: Account) -> None:
    home = workflow()
    page(types.Instance("one", Status.ERRORED, created_on=THEN, ended_on=LATER), workflow=home)

    page(types.Instance("one", Status.RUNNING, created_on=THEN), workflow=home)

    row = Instance.objects.get()
    assert (row.generation, row.status, row.ended_on) == (2, "running", None)
    assert row.changes.get().before["status"] == "errored"


def test_workflows_that_are_missing_are_marked_and_come_back(watched: Account) -> None:
    recording.record_workflows(watched, [types.Workflow("a"), types.Workflow("b")], now=THEN)

    recording.record_workflows(watched, [types.Workflow("b")], now=LATER)
    assert Workflow.objects.get(name="a").gone_at == LATER

    recording.record_workflows(watched, [types.Workflow("a")], now=LATER)
    assert Workflow.objects.get(name="a").gone_at is None
    assert Workflow.objects.get(name="b").gone_at == LATER


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_json_that_is_kept_holds_nothing_that_a_page_cannot_show(value: Any) -> None:
    kept = storable_json(value)

    text = repr(kept)
    text.encode()
    assert storable_json(kept) == kept
    assert "\0" not in str(kept)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_text_that_can_be_kept_is_kept_as_it_is(text: str) -> None:
    assert storable(text) == text
    assert storable_json({text: [text]}) == {text: [text]}


def test_a_backslash_and_the_word_for_nul_are_no_nul() -> None:
    assert storable_json("\\u0000") == "\\u0000"


@pytest.mark.django_db
def test_a_row_that_was_just_read_has_its_detail_without_asking_the_database(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    told = detail(status="running")

    row = recording.record_detail(workflow(), "one", told, now=LATER)

    with django_assert_num_queries(0):
        assert row.last_detail is told
    assert Instance.objects.get(pk=row.pk).last_detail == told
