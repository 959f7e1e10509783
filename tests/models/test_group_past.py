"""Failures that were read before failures were grouped find their groups; nothing else changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.models import ErrorGroup, ErrorGroupHour, Instance, UngroupedPast, group_past
from tests.models.test_error_groups import failed, record
from tests.rows import THEN, instance

pytestmark = pytest.mark.django_db
NOW = THEN + timedelta(days=2)


def ungroup() -> None:
    """As an upgrade finds what an earlier version has read."""
    Instance.objects.update(error_group=None)
    ErrorGroup.objects.all().delete()
    UngroupedPast.objects.create(last_pk=Instance.objects.latest("pk").pk)


def test_they_are_counted_as_if_they_were_read_today(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        started = THEN + timedelta(hours=number % 3)
        record(failed(f"Customer cus_{number} not found", started=started), f"i{number}")
    record(failed("The disk is full"), "another")
    told = [*ErrorGroup.objects.order_by("fingerprint").values("count", "first_seen_on", "message")]
    hours = [*ErrorGroupHour.objects.order_by("begins_on", "count").values("begins_on", "count")]
    ungroup()
    monkeypatch.setattr(group_past, "PIECE", 3)

    assert group_past.group_past(now=NOW, is_time_up=lambda: True) == 0
    assert group_past.group_past(now=NOW, is_time_up=lambda: False) == 8

    again = ErrorGroup.objects.order_by("fingerprint").values("count", "first_seen_on", "message")
    assert [*again] == told
    assert [
        *ErrorGroupHour.objects.order_by("begins_on", "count").values("begins_on", "count")
    ] == hours
    assert not UngroupedPast.objects.exists()
    assert group_past.group_past(now=NOW, is_time_up=lambda: False) == 0


def test_a_failure_that_has_its_group_or_was_never_read_is_left_alone() -> None:
    record(failed("The disk is full"), "old")
    ungroup()
    record(failed("The disk is full"), "new")
    instance("unread", "errored", ended_on=THEN)

    assert group_past.group_past(now=NOW, is_time_up=lambda: False) == 1
    assert ErrorGroup.objects.get().count == 2


def test_what_a_restart_has_replaced_is_not_counted_for_the_new_start() -> None:
    record(failed("The disk is full"), "one")
    ungroup()
    Instance.objects.update(generation=2)

    assert group_past.group_past(now=NOW, is_time_up=lambda: False) == 0
    assert Instance.objects.get().error_group is None
