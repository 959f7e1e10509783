"""A page that refreshes itself: one asks Cloudflare for all, and what it says of itself is true."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection as database
from django.test import Client

from dashboard.models import Instance, Look, User
from dashboard.simulator.server import Server
from tests.fixtures import Watched
from tests.views.instance.test_page import text_of

POLL = {"HX-Request": "true"}
EVERY = 2.5


@pytest.fixture
def minute(watched: Watched, configured: Server, reader: Client) -> Iterator[Minute]:
    with time_machine.travel(watched.clock(), tick=False) as clock:
        yield Minute(watched, reader, clock)


class Minute:
    """Somebody's minute before the page of an instance, by the simulator's clock."""

    def __init__(self, on_call: Watched, reader: Client, clock: time_machine.Coordinates) -> None:
        self.on_call, self.reader, self.clock = on_call, reader, clock

    def wait(self, seconds: float) -> None:
        self.on_call.advance(seconds)
        self.clock.move_to(self.on_call.clock(), tick=False)

    def open(self, instance_id: str, *, state: str = "") -> str:
        """Syncs, opens the page, and returns its address."""
        self.on_call.sync()
        address = self.on_call.row(instance_id).get_absolute_url()
        self.reader.get(address)
        return address

    def asked(self) -> list[tuple[str, str]]:
        """What reached the account of instances themselves so far."""
        return [
            (entry["path"].rpartition("/")[2], entry["query"])
            for entry in self.on_call.server.requests
            if "/instances/" in entry["path"]
        ]

    def watch(self, address: str, viewers: int, seconds: float = 60) -> int:
        """So many keep the page open, each coming at a moment of their own; how often Cloudflare
        was asked because of them."""
        before, tags = len(self.asked()), [""] * viewers
        for _ in range(int(seconds / EVERY)):
            for place in range(viewers):
                answer = self.reader.get(address, headers={**POLL, "HX-PTag": tags[place]})
                tags[place] = answer.headers["HX-PTag"]
                self.wait(EVERY / viewers)
        return len(self.asked()) - before


def test_fifty_viewers_cost_what_one_does(minute: Minute) -> None:
    of_one = minute.watch(minute.open(minute.on_call.add("running")), 1, seconds=20)
    of_fifty = minute.watch(minute.open(minute.on_call.add("running")), 50, seconds=20)

    assert of_fifty == of_one == 3


@pytest.mark.django_db(transaction=True)
def test_of_all_processes_that_are_asked_at_once_one_asks(
    watched: Watched, configured: Server, viewer: User
) -> None:
    instance_id = watched.add("running")
    watched.sync()
    row = watched.row(instance_id)
    watched.advance(5)
    with time_machine.travel(watched.clock(), tick=False):
        asked = len(watched.server.requests)
        begin = threading.Barrier(8)
        answers: list[int] = []

        def look() -> None:
            # A connection of its own, as another process has; nothing else is shared.
            client = Client()
            client.force_login(viewer)
            begin.wait()
            answers.append(client.get(row.get_absolute_url()).status_code)
            database.close()

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == [200] * 8
    assert len(watched.server.requests) == asked + 1


def test_only_what_has_changed_is_read_with_its_steps(minute: Minute) -> None:
    instance_id = minute.on_call.add("sleeping")
    address = minute.open(instance_id)

    minute.watch(address, 2, seconds=50)

    queries = [query for _, query in minute.asked()[1:]]
    assert set(queries) == {"simple=true"}


def test_a_change_is_read_whole_at_once_and_reaches_everybody(minute: Minute) -> None:
    instance_id = minute.on_call.add("sleeping", age=24 * 3600 - 12)
    address = minute.open(instance_id)
    before = len(minute.asked())

    minute.watch(address, 3, seconds=20)

    queries = [query for _, query in minute.asked()[before:]]
    assert "" in queries
    first = queries.index("")
    assert set(queries[:first]) == {"simple=true"}
    shown = text_of(minute.reader.get(address, headers=POLL).content.decode())
    assert "Running “after”" in shown


def test_while_a_step_is_at_work_its_attempts_are_read_every_fifteen_seconds(
    minute: Minute,
) -> None:
    address = minute.open(minute.on_call.add("running"))
    before = len(minute.asked())

    minute.watch(address, 1, seconds=60)

    queries = [query for _, query in minute.asked()[before:]]
    assert queries.count("") == 3


def test_a_poll_that_has_nothing_to_tell_swaps_nothing_and_says_when_it_was_true(
    minute: Minute,
) -> None:
    instance_id = minute.on_call.add("sleeping")
    address = minute.open(instance_id)
    tag = minute.reader.get(address, headers=POLL).headers["HX-PTag"]

    minute.wait(5)
    answer = minute.reader.get(address, headers={**POLL, "HX-PTag": tag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["Told-At"] == minute.on_call.clock().isoformat()


def test_a_page_carries_the_tag_that_its_first_poll_is_answered_by(minute: Minute) -> None:
    address = minute.open(minute.on_call.add("sleeping"))
    found = re.search(r'hx-ptag="(\w+)"', minute.reader.get(address).content.decode())
    assert found

    answer = minute.reader.get(address, headers={**POLL, "HX-PTag": found[1]})

    assert answer.status_code == 304


@pytest.mark.parametrize(
    "change",
    [
        lambda row: Instance.objects.filter(pk=row.pk).update(status="paused"),
        lambda row: Instance.objects.filter(pk=row.pk).update(generation=2),
        lambda row: Look.objects.filter(pk=row.pk).update(
            trouble="failing", words="It fell.", asked_at=row.read_at
        ),
        lambda row: User.objects.update(role="viewer"),
    ],
)
def test_whatever_the_page_says_is_in_its_tag(
    minute: Minute, change: Callable[[Instance], None]
) -> None:
    instance_id = minute.on_call.add("sleeping")
    address = minute.open(instance_id)
    tag = minute.reader.get(address, headers=POLL).headers["HX-PTag"]

    change(minute.on_call.row(instance_id))

    answer = minute.reader.get(address, headers={**POLL, "HX-PTag": tag})
    assert answer.status_code == 200


def chip(minute: Minute, address: str) -> str:
    html = minute.reader.get(address).content.decode()
    return text_of(html.split('id="live"')[1].split("</p>")[0])


def test_the_chip_says_how_long_ago_cloudflare_said_so(minute: Minute) -> None:
    address = minute.open(minute.on_call.add("sleeping"))
    minute.wait(2)

    assert "Live Not refreshed as Cloudflare said 2 s ago" in chip(minute, address)


def test_the_chip_says_since_when_cloudflare_does_not_answer(minute: Minute) -> None:
    address = minute.open(minute.on_call.add("sleeping"))
    minute.on_call.server.faults.add("html", status=502)
    began = minute.on_call.clock() + timedelta(seconds=5)
    for _ in range(4):
        minute.wait(5)
        said = chip(minute, address)

    assert f"Cloudflare does not answer since {began:%Y-%m-%d %H:%M:%S} UTC" in said
    assert "shown is what was known 20 s ago" in said
    minute.on_call.server.faults.clear()
    minute.wait(5)
    assert "as Cloudflare said 0 s ago" in chip(minute, address)


def test_trouble_that_nobody_has_looked_at_since_begins_anew(minute: Minute) -> None:
    address = minute.open(minute.on_call.add("sleeping"))
    minute.on_call.server.faults.add("html", status=502)
    minute.wait(5)
    minute.reader.get(address)
    minute.wait(3600)

    assert f"since {minute.on_call.clock():%Y-%m-%d %H:%M:%S} UTC" in chip(minute, address)


def test_the_chip_of_a_page_that_is_over_says_so_and_the_page_asks_no_more(
    minute: Minute,
) -> None:
    address = minute.open(minute.on_call.add("complete"))

    html = minute.reader.get(address).content.decode()

    assert "data-live" not in html
    assert "Over it no longer refreshes itself; read 0 s ago" in chip(minute, address)


def test_an_answer_kept_again_says_since_when_it_is_that(minute: Minute) -> None:
    instance_id = minute.on_call.add("sleeping")
    minute.open(instance_id)
    kept = minute.on_call.row(instance_id).kept_detail
    minute.wait(120)

    minute.open(instance_id)

    again = minute.on_call.row(instance_id).kept_detail
    assert (again.read_at, again.changed_at) == (minute.on_call.clock(), kept.changed_at)
