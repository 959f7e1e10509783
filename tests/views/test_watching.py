"""What somebody looks at is noted, for sync to look there more often; and how much is known."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from dashboard.models import Gap, Progress, Workflow
from tests.rows import THEN, account, instance, workflow

PAGES = [
    "/accounts/acc1/workflows/orders/",
    "/accounts/acc1/workflows/orders/instances/one",
    "/instances/?q=workflow:acc1/orders",
]


def cover(name: str, unfinished: int, unread: int, *, ago: int) -> None:
    Progress.objects.create(
        workflow=workflow(name),
        unfinished=unfinished,
        unread=unread,
        covered_at=THEN - timedelta(seconds=ago),
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_shows_a_workflow_notes_that_it_is_looked_at(reader: Client, page: str) -> None:
    instance("one", of=workflow())
    instance("two", of=workflow("refunds"))

    with time_machine.travel(THEN, tick=False):
        reader.get(page)

    assert Workflow.objects.get(name="orders").watched_at == THEN
    assert Workflow.objects.get(name="refunds").watched_at is None


def test_it_is_noted_at_most_once_in_twenty_seconds(reader: Client) -> None:
    workflow()
    for seconds in (0, 5, 19):
        with time_machine.travel(THEN + timedelta(seconds=seconds), tick=False):
            reader.get(PAGES[0], headers={"HX-Request": "true"})
    assert Workflow.objects.get().watched_at == THEN

    with time_machine.travel(THEN + timedelta(seconds=21), tick=False):
        reader.get(PAGES[0], headers={"HX-Request": "true"})

    assert Workflow.objects.get().watched_at == THEN + timedelta(seconds=21)


def test_the_overview_says_of_how_many_the_details_are_known_and_since_when(
    reader: Client,
) -> None:
    cover("orders", 4_000, 150, ago=40)
    cover("refunds", 120, 15, ago=12)

    with time_machine.travel(THEN, tick=False):
        html = " ".join(reader.get("/").content.decode().split())

    assert "Details known for 95 % of 4,120 unfinished, counted <time" in html
    assert ">40 s ago</time>" in html


def test_a_hundred_percent_are_said_of_all_only(reader: Client) -> None:
    cover("orders", 1_000, 1, ago=3)

    with time_machine.travel(THEN, tick=False):
        html = reader.get(PAGES[0]).content.decode()

    assert "99 % of 1,000 unfinished" in html


def test_before_anything_was_counted_nothing_is_said(reader: Client) -> None:
    workflow()
    account()

    assert "Details known" not in reader.get("/").content.decode()


def test_a_workflow_says_how_far_its_older_instances_were_read(reader: Client) -> None:
    orders = workflow(walked_at=THEN)
    assert "all read" in reader.get(PAGES[0]).content.decode()
    Gap.objects.create(workflow=orders, is_history=True, began_at=THEN, until=THEN)

    html = " ".join(reader.get(PAGES[0]).content.decode().split())

    assert "being read, back to <time" in html
