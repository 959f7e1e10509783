from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.test import Client

from dashboard.models import Progress, WorkflowPeriod, forecast
from dashboard.models.forecast import DELETED
from tests.rows import THEN, instance, minutes, version, workflow

pytestmark = pytest.mark.django_db

NOW = THEN + minutes(30)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def due(
    instance_id: str, minutes_from_now: float, phase: str = "sleeping", **facts: object
) -> None:
    instance(instance_id, "waiting", phase=phase, due_on=NOW + minutes(minutes_from_now),
             read_at=NOW, **facts)  # fmt: skip


def numbers(kind: str) -> list[int]:
    return [hour.number(kind) for hour in forecast.forecast(NOW)]


def test_the_first_hour_is_what_is_left_of_it_and_24_hours_are_told_in_all() -> None:
    hours = forecast.forecast(NOW)

    assert (hours[0].begins, hours[0].ends) == (NOW, THEN + HOUR)
    assert hours[-1].ends == NOW + 24 * HOUR
    assert all(one.ends == other.begins for one, other in pairwise(hours))


def test_what_ends_is_counted_in_its_hour_by_kind() -> None:
    due("now", 5)
    due("later", 31)
    due("much-later", 32)
    due("waits", 31, "waiting-for-event")
    due("tries", 23 * 60, "retrying")
    due("too-late", 24 * 60)
    due("was-due", -5)
    due("gone", 5, expired_at=NOW)

    assert numbers("sleeping")[:3] == [1, 2, 0]
    assert sum(numbers("sleeping")) == 3
    assert numbers("waiting-for-event")[1] == 1
    assert sum(numbers("retrying")) == 1


def test_of_a_full_hour_only_so_many_are_counted_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, reader: Client
) -> None:
    monkeypatch.setattr(forecast, "MOST", 2)
    for number in range(3):
        due(f"i{number}", 5)

    [hour, *_] = forecast.forecast(NOW)
    assert (hour.number("sleeping"), hour.is_cut) == (2, True)
    assert "2+ will go on by themselves" in reader.get("/forecast/").content.decode()


def test_what_cloudflare_deletes_is_told_by_the_retention_of_its_version() -> None:
    version("v1", success_retention="3 days", error_retention="1 day", created_on=THEN)
    for ago, ended in (
        (timedelta(days=3) - minutes(10), {"completed": 1}),
        (timedelta(days=1) - minutes(40), {"errored": 1}),
        (timedelta(days=1), {"completed": 1}),
        (timedelta(days=3) + minutes(10), {"completed": 1}),
    ):
        of = {"workflow": workflow(), "version_id": "v1", "begins_on": NOW - ago}
        WorkflowPeriod.objects.create(**of, **ended)

    assert numbers(DELETED)[:3] == [1, 1, 0]
    assert sum(numbers(DELETED)) == 2


def test_each_number_leads_to_the_list_behind_it(reader: Client) -> None:
    for number in range(3):
        due(f"i{number}", 31)
    due("waits", 31, "waiting-for-event")

    html = reader.get("/forecast/").content.decode()

    found = re.findall(r'<a href="([^"]*phase:sleeping[^"]*)">3</a>', html)
    assert len(found) == 2  # By hour and by workflow.
    for href in found:
        listed = reader.get(href.replace("&amp;", "&"))
        assert listed.status_code == 200
        assert len(re.findall(r'<tr id="instance-', listed.content.decode())) == 3


def test_it_says_of_how_many_it_is_known(reader: Client) -> None:
    due("one", 5)
    Progress.objects.create(workflow=workflow(), unfinished=4_120, unread=160, covered_at=NOW)

    assert "known for 96 % of 4,120 unfinished" in " ".join(
        reader.get("/forecast/").content.decode().split()
    )


def test_a_quiet_night_says_until_when(reader: Client) -> None:
    assert "Nothing goes on by itself" in reader.get("/forecast/").content.decode()
    due("one", 5 * 60)
    with time_machine.travel(NOW + minutes(2), tick=False):
        html = reader.get("/forecast/").content.decode()
    assert "Quiet until 08:00 UTC" in html


def test_the_page_of_a_workflow_tells_of_it_alone(reader: Client) -> None:
    due("one", 5)
    instance("other", "waiting", of=workflow("refunds"), phase="sleeping", due_on=NOW + minutes(5))

    html = reader.get(workflow().get_absolute_url()).content.decode()

    assert "1 will go on by themselves" in html


@pytest.mark.parametrize("text", ["due:soon", "due:>2026-13-01"])
def test_a_time_that_is_none_is_said(reader: Client, text: str) -> None:
    response = reader.get("/instances/", {"q": text})

    assert response.status_code == 400
    assert "due: wants a time such as" in response.content.decode()
