"""Lists lag and come in any order; what the instance itself said last is what stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare import types
from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models import Instance
from dashboard.models.instance import Change
from dashboard.models.merging import Merge, merge_detail, merge_listed
from tests.rows import THEN

#: Few different moments, so that they are often equal.
SECONDS = st.integers(0, 4)
MOMENTS = SECONDS.map(lambda seconds: THEN + timedelta(seconds=seconds))
KNOWN = st.sampled_from([status for status in Status if status is not Status.UNKNOWN])
STATUSES = st.sampled_from(list(Status)) | st.just(Status("brandNew"))
TEXTS = st.sampled_from(["", "v1", "v2"])
TRIGGERS = st.sampled_from(list(types.Trigger))
FACTS = (
    "version_id", "trigger", "created_on", "modified_on", "queued_on", "started_on", "ended_on",
    "error_name", "error_message", "step_count",
)  # fmt: skip


@st.composite
def rows(draw: st.DrawFn, statuses: st.SearchStrategy[Status] = STATUSES) -> Instance:
    """What may be known of an instance."""
    read_at = draw(st.none() | MOMENTS)
    return Instance(
        instance_id="one",
        status=draw(statuses).value,
        version_id=draw(TEXTS),
        trigger=draw(TRIGGERS).value,
        created_on=draw(MOMENTS),
        modified_on=draw(st.none() | MOMENTS),
        queued_on=draw(st.none() | MOMENTS),
        started_on=draw(st.none() | MOMENTS),
        ended_on=draw(st.none() | MOMENTS),
        error_name=draw(TEXTS),
        error_message=draw(TEXTS),
        step_count=draw(st.none() | st.integers(0, 3)),
        is_listed=draw(st.booleans()),
        seen_at=THEN,
        status_seen_at=THEN,
        read_at=read_at,
        read_on=read_at and draw(st.none() | st.just(read_at)),
        expired_at=draw(st.none() | MOMENTS),
    )


@st.composite
def listed(draw: st.DrawFn) -> types.Instance:
    """Any row that a list may show of it, thin or full."""
    return types.Instance(
        id="one",
        status=draw(STATUSES),
        created_on=draw(st.none() | MOMENTS),
        modified_on=draw(st.none() | MOMENTS),
        started_on=draw(st.none() | MOMENTS),
        ended_on=draw(st.none() | MOMENTS),
        version_id=draw(TEXTS),
        trigger=draw(TRIGGERS),
    )


@st.composite
def details(
    draw: st.DrawFn, statuses: st.SearchStrategy[Status] = STATUSES
) -> types.InstanceDetail:
    """Any answer of the instance itself."""
    return types.InstanceDetail(
        status=draw(statuses),
        step_count=draw(st.none() | st.integers(0, 3)),
        version_id=draw(TEXTS),
        queued=draw(st.none() | MOMENTS),
        start=draw(st.none() | MOMENTS),
        end=draw(st.none() | MOMENTS),
        error=draw(st.none() | st.builds(types.ErrorDetail, name=TEXTS, message=TEXTS)),
        trigger=draw(TRIGGERS),
    )


def seen_by(told: types.Instance, row: Instance, asked_at: datetime) -> types.Instance:
    """The list row of that very instance, not of a later one of its id, as known when asked."""
    return replace(
        told,
        created_on=told.created_on and row.created_on,
        modified_on=told.modified_on and min(told.modified_on, asked_at),
    )


def apply(row: Instance, merge: Merge) -> None:
    for name, value in merge.fields.items():
        setattr(row, name, value)


def read(row: Instance, detail: types.InstanceDetail, at: datetime) -> None:
    apply(row, merge_detail(row, detail))
    row.read_at = row.read_on = at


def copy_of(row: Instance) -> Instance:
    fields = [field.attname for field in Instance._meta.concrete_fields]
    return Instance(**{name: getattr(row, name) for name in fields})


@given(rows(), listed(), MOMENTS, st.booleans())
def test_the_same_list_row_again_changes_nothing(
    row: Instance, told: types.Instance, asked_at: datetime, is_live: bool
) -> None:
    apply(row, merge_listed(row, told, asked_at=asked_at, is_list_live=is_live))

    again = merge_listed(row, told, asked_at=asked_at, is_list_live=is_live)

    assert (again.fields, again.change) == ({}, None)


@given(rows(), details())
def test_the_same_detail_again_changes_nothing(row: Instance, detail: types.InstanceDetail) -> None:
    apply(row, merge_detail(row, detail))

    again = merge_detail(row, detail)

    assert (again.fields, again.change) == ({}, None)


@given(rows(), listed(), details(KNOWN), MOMENTS, st.integers(1, 5), st.booleans())
def test_a_list_row_and_a_newer_detail_end_in_the_same_status_in_any_order(
    row: Instance,
    told: types.Instance,
    detail: types.InstanceDetail,
    asked_at: datetime,
    seconds: int,
    is_live: bool,
) -> None:
    told = seen_by(told, row, asked_at)
    read_at = asked_at + timedelta(seconds=seconds)
    other = copy_of(row)

    apply(row, merge_listed(row, told, asked_at=asked_at, is_list_live=is_live))
    read(row, detail, read_at)
    read(other, detail, read_at)
    apply(other, merge_listed(other, told, asked_at=asked_at, is_list_live=is_live))

    assert row.status == other.status == detail.status.value


@given(rows(KNOWN), listed(), MOMENTS, st.integers(1, 5), st.booleans())
def test_a_list_row_older_than_the_detail_never_changes_the_status(
    row: Instance, told: types.Instance, asked_at: datetime, seconds: int, is_live: bool
) -> None:
    told = seen_by(told, row, asked_at)
    row.read_at = row.read_on = asked_at + timedelta(seconds=seconds)

    merge = merge_listed(row, told, asked_at=asked_at, is_list_live=is_live)

    assert merge.fields.get("status", row.status) == row.status


@given(rows(), listed() | details(), MOMENTS, st.booleans())
def test_nothing_known_is_erased_by_a_thin_answer(
    row: Instance, told: types.Instance | types.InstanceDetail, asked_at: datetime, is_live: bool
) -> None:
    before = copy_of(row)
    if isinstance(told, types.Instance):
        merge = merge_listed(row, told, asked_at=asked_at, is_list_live=is_live)
    else:
        merge = merge_detail(row, told)
    if merge.change in {Change.Kind.RESTARTED, Change.Kind.REUSED}:
        return

    apply(row, merge)

    blank = {None, "", "unknown"}
    erased = [
        name for name in FACTS if getattr(before, name) not in blank and getattr(row, name) in blank
    ]
    assert erased == []


@given(rows(st.sampled_from(sorted(FINISHED))), listed(), MOMENTS, st.booleans())
def test_what_began_anew_keeps_nothing_of_the_start_before(
    row: Instance, told: types.Instance, asked_at: datetime, is_reused: bool
) -> None:
    row.is_listed, row.read_at, row.modified_on = True, None, None
    created_on = row.created_on + timedelta(days=1) if is_reused else row.created_on
    told = replace(told, status=Status.RUNNING, created_on=created_on)

    merge = merge_listed(row, told, asked_at=asked_at, is_list_live=False)
    assert merge.change is (Change.Kind.REUSED if is_reused else Change.Kind.RESTARTED)

    apply(row, merge)

    assert (row.started_on, row.ended_on) == (told.started_on, told.ended_on)
    assert (row.error_name, row.error_message, row.step_count) == ("", "", None)


@given(rows(), listed(), MOMENTS, st.booleans())
def test_the_moment_of_the_last_change_never_goes_back_for_one_instance(
    row: Instance, told: types.Instance, asked_at: datetime, is_live: bool
) -> None:
    before = row.modified_on
    merge = merge_listed(row, told, asked_at=asked_at, is_list_live=is_live)
    if merge.change is Change.Kind.REUSED:
        return

    apply(row, merge)

    assert before is None or (row.modified_on is not None and row.modified_on >= before)
