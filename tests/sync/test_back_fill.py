"""History: resumable at any page, never in the way of what is new, and whole after any kill."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta
from urllib.parse import parse_qs

from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard import sync
from dashboard.cloudflare import Client, Credentials, Gate, Lane, Spender
from dashboard.models import Account, Gap, Instance, leases
from dashboard.simulator import server as simulator_server
from dashboard.sync import walk
from tests.fixtures import START, Watched
from tests.gates import Allowing


class Killed(BaseException):
    """What no code catches: the process is gone."""


class Killing(Allowing):
    """Kills at the request after so many."""

    def spend(self, lane: Lane, spender: Spender) -> None:
        if self.left == 0:
            raise Killed
        super().spend(lane, spender)


def client_with(watched: Watched, gate: Gate) -> Client:
    credentials = Credentials(token=watched.server.token)
    return Client(watched.server.account_id, credentials, base_url=watched.server.url, gate=gate)


def pages_asked(watched: Watched) -> Counter[str]:
    """How often each page of the whole list was asked for, by its cursor; "" is the newest."""
    queries = [
        parse_qs(entry["query"])
        for entry in watched.server.requests
        if entry["path"].endswith("/instances") and entry["status"] == 200
    ]
    return Counter(query.get("cursor", [""])[0] for query in queries if "status" not in query)


def add_many(watched: Watched, number: int) -> None:
    for age in range(number):
        watched.add("complete", age=10_000 - age)


def test_a_back_fill_that_stops_at_every_page_asks_for_none_twice(watched: Watched) -> None:
    add_many(watched, 2_450)
    with client_with(watched, Allowing(3)) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)
    assert Gap.objects.exists()

    for _ in range(60):
        if not Gap.objects.exists():
            break
        with client_with(watched, Allowing(1)) as client:
            sync.back_fill(client, watched.account, clock=watched.clock)

    asked = pages_asked(watched)
    assert set(asked.values()) == {1}
    assert len(asked) == 25
    assert watched.copied() == watched.listed()


def test_history_where_nobody_has_been_is_added_without_looking_for_it(watched: Watched) -> None:
    add_many(watched, 1_150)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    gap = Gap.objects.get()

    with CaptureQueriesContext(connection) as asked:
        walk.fill_gap(watched.client, gap, limit=2, clock=watched.clock)

    of_instances = [one["sql"] for one in asked if "dashboard_instance" in one["sql"]]
    assert [statement.split()[0] for statement in of_instances] == ["INSERT"]


def test_a_forgotten_cursor_is_replaced_by_the_date(watched: Watched) -> None:
    add_many(watched, 2_450)
    with client_with(watched, Allowing(8)) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)
    watched.advance(3_600)

    sync.back_fill(watched.client, watched.account, clock=watched.clock)

    assert not Gap.objects.exists()
    assert watched.copied() == watched.listed()


def test_what_is_new_is_seen_while_history_is_not_there_yet(watched: Watched) -> None:
    add_many(watched, 2_450)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    assert Gap.objects.exists()
    watched.advance(10)
    new = watched.add("errored")

    sync.freshen(watched.client, watched.account, clock=watched.clock)

    assert watched.row(new).error_message
    assert Gap.objects.exists()


def test_an_account_is_due_for_history_only_while_there_is_some(watched: Watched) -> None:
    def is_due() -> bool:
        return Account.objects.due_for_history(watched.clock()).exists()

    add_many(watched, 1_150)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    assert is_due()
    minute = timedelta(seconds=60)
    assert leases.take(
        watched.account, "history_leased_until", now=watched.clock(), duration=minute
    )
    assert not is_due()

    sync.back_fill(watched.client, watched.account, clock=watched.clock)

    assert not is_due()
    assert watched.copied() == watched.listed()


def test_a_back_fill_that_cloudflare_refuses_waits_and_leaves_what_is_fresh_alone(
    watched: Watched,
) -> None:
    add_many(watched, 1_150)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    watched.server.faults.add("html", path="cursor=", status=502, times=None)

    sync.back_fill(watched.client, watched.account, clock=watched.clock)

    account = Account.objects.get()
    assert account.next_history_at == watched.clock() + timedelta(seconds=15)
    assert account.sync_error == ""
    assert watched.workflow().sync_error


def test_a_back_fill_leaves_alone_what_a_sync_has_learned_meanwhile(watched: Watched) -> None:
    add_many(watched, 1_150)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    progress = watched.workflow().progress
    progress.done = {"head": 1.0}

    class Meanwhile(Allowing):
        def spend(self, lane: Lane, spender: Spender) -> None:
            progress.save()

    with client_with(watched, Meanwhile(0)) as client:
        sync.back_fill(client, watched.account, clock=watched.clock)

    assert watched.workflow().progress.done == {"head": 1.0}


def test_twenty_kills_at_random_moments_lose_and_repeat_nothing(db: None) -> None:
    seed = os.environ.get("PYTEST_SEED", "20")
    chance = random.Random(seed)
    with simulator_server.serve("huge", instances=4_000, rate_limit=0, now=START) as server:
        credentials = Credentials(token=server.token)
        account = Account.objects.create(account_id=server.account_id, name="killed")
        with Client(server.account_id, credentials, base_url=server.url) as client:
            watched = Watched(server, client, account)
            kills = 0
            while kills < 20:
                with client_with(watched, Killing(chance.randrange(1, 30))) as doomed:
                    try:
                        again = Account.objects.get()
                        sync.sync_account(doomed, again, clock=watched.clock)
                    except Killed:
                        kills += 1
                watched.advance(chance.uniform(5, 60))
            watched.account = Account.objects.get()
            account = watched.sync()
            assert account.sync_error == ""
            for name in server.world.workflows:
                assert watched.copied(name) == watched.listed(name), f"seed {seed}"
        ids = Instance.objects.values_list("workflow", "instance_id")
        assert len(set(ids)) == len(ids)
