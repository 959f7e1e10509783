"""The local copy is right: nothing lost, nothing twice, whatever interrupts it."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection as database

from dashboard import sync
from dashboard.cloudflare import Client, Credentials, Gate, Lane
from dashboard.cloudflare.errors import NotFound
from dashboard.cloudflare.types import Action
from dashboard.models import Account, Change, Instance, InstanceDetail, Version, Workflow
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server
from tests.fixtures import START, Watched
from tests.gates import Allowing

NINE = (
    "queued", "running", "waiting", "waitingForPause", "paused", "rollingBack", "complete",
    "errored", "terminated",
)  # fmt: skip


def test_a_first_sync_copies_every_instance_with_its_status(watched: Watched) -> None:
    for state in NINE:
        watched.add(state)
        watched.add(state, workflow="refunds")

    account = watched.sync()

    assert watched.copied() == watched.listed()
    assert watched.copied("refunds") == watched.listed("refunds")
    assert sorted(watched.copied().values()) == sorted(NINE)
    assert (account.sync_error, account.synced_at) == ("", START)


def test_many_pages_are_copied_whole(watched: Watched) -> None:
    for number in range(230):
        watched.add("complete", age=10_000 - number)

    watched.sync()

    assert len(watched.copied()) == 230
    assert watched.copied() == watched.listed()


def test_a_sync_of_what_did_not_change_asks_only_for_the_workflows(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()
    watched.advance(5)

    account = watched.sync()

    assert account.last_requests == 1


def test_new_and_ended_instances_are_seen_by_the_next_sync(watched: Watched) -> None:
    long = watched.add("waiting", instance_id="sleeper")
    watched.sync()
    watched.advance(25 * 3600)
    new = watched.add("running", instance_id="new")

    watched.sync()

    assert watched.row(new).status == "running"
    assert watched.row(long).status == "complete"
    assert watched.row(long).ended_on is not None
    assert watched.row(long).duration_ms == pytest.approx(24 * 3600 * 1000, rel=0.01)


def test_a_walk_that_was_cut_off_leaves_no_gap(watched: Watched) -> None:
    for number in range(120):
        watched.add("complete", age=50_000 - number)
    watched.sync()
    for number in range(250):
        watched.add("complete", age=20_000 - number)
    watched.advance(10)
    watched.server.faults.add("html", path="cursor=", times=None)
    cut_off = watched.sync()
    assert cut_off.sync_error
    assert len(watched.copied()) < 370

    watched.server.faults.clear()
    watched.advance(10)
    watched.sync()

    assert watched.copied() == watched.listed()
    assert len(watched.copied()) == 370


@pytest.mark.django_db(transaction=True)
def test_two_syncs_at_once_copy_each_instance_once(watched: Watched) -> None:
    for number in range(150):
        watched.add("running" if number % 3 else "errored")
    failures: list[Exception] = []

    def sync_alone() -> None:
        try:
            account = Account.objects.get(pk=watched.account.pk)
            sync.sync_account(watched.client, account, clock=watched.clock)
            assert account.sync_error == ""
        except Exception as failure:
            failures.append(failure)
        finally:
            database.close()

    threads = [threading.Thread(target=sync_alone) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert watched.copied() == watched.listed()
    assert Instance.objects.count() == 150
    assert Workflow.objects.count() == 1


def test_the_error_of_an_errored_instance_is_read_as_soon_as_it_is_seen(watched: Watched) -> None:
    failed = watched.add("errored")

    watched.sync()

    row = watched.row(failed)
    assert (row.error_name, row.error_message) == ("NonRetryableError", "card was declined")
    assert InstanceDetail.objects.get(instance=row).parse().steps


def test_a_restart_is_noticed_and_what_was_known_before_it_is_kept(watched: Watched) -> None:
    failed = watched.add("errored")
    watched.sync()
    watched.advance(60)
    watched.client.change_instance_status("orders", failed, Action.RESTART)
    watched.advance(1)

    watched.sync()

    row = watched.row(failed)
    assert row.status != "errored"
    assert row.generation == 2
    assert row.error_message == ""
    change = Change.objects.get(instance=row)
    assert change.kind == Change.Kind.RESTARTED
    assert change.before["error_message"] == "card was declined"


def test_a_restart_that_ended_the_same_way_is_noticed_too(watched: Watched) -> None:
    done = watched.add("complete")
    watched.sync()
    watched.advance(60)
    watched.client.change_instance_status("orders", done, Action.RESTART)
    watched.advance(600)
    assert watched.listed()[done] == "complete"

    watched.sync()

    assert watched.row(done).generation == 2


def test_an_id_that_was_used_again_is_another_generation(watched: Watched) -> None:
    watched.add("complete", instance_id="daily", age=5000)
    watched.sync()
    watched.remove("daily")
    watched.advance(100)
    watched.add("errored", instance_id="daily", age=50)

    watched.sync()

    row = watched.row("daily")
    assert (row.status, row.generation) == ("errored", 2)
    assert Change.objects.get(instance=row).kind == Change.Kind.REUSED


def test_an_instance_whose_retention_ended_is_marked_and_kept(watched: Watched) -> None:
    gone = watched.add("waiting", age=500)
    watched.sync()
    watched.remove(gone)
    watched.advance(40)

    watched.sync()

    row = watched.row(gone)
    assert row.expired_at == watched.clock()
    assert row.status == "waiting"
    assert Change.objects.get(instance=row).kind == Change.Kind.EXPIRED


def test_what_was_read_from_the_instance_wins_over_a_list_that_lags(watched: Watched) -> None:
    running = watched.add("waiting")
    watched.sync()
    watched.advance(10)
    watched.client.change_instance_status("orders", running, Action.PAUSE)
    watched.advance(2)
    sync.read_instance(watched.client, watched.workflow(), running, now=watched.clock())
    assert watched.row(running).status == "paused"
    watched.server.faults.add("lag", path="/instances", seconds=60, times=None)
    watched.advance(1)

    watched.sync()

    assert watched.row(running).status == "paused"


def test_a_list_that_is_newer_than_the_last_read_is_believed(watched: Watched) -> None:
    paused = watched.add("paused")
    watched.sync()
    sync.read_instance(watched.client, watched.workflow(), paused, now=watched.clock())
    watched.advance(10)
    watched.client.change_instance_status("orders", paused, Action.RESUME)
    watched.advance(1)

    watched.sync()

    assert watched.row(paused).status != "paused"


def test_an_instance_that_was_opened_before_it_was_listed_is_fetched_and_then_listed(
    watched: Watched,
) -> None:
    watched.add("complete", age=900)
    watched.sync()
    new = watched.add("running", instance_id="pasted-link")

    sync.read_instance(watched.client, watched.workflow(), new, now=watched.clock())
    assert watched.row(new).is_listed is False
    watched.advance(5)
    watched.sync()

    row = watched.row(new)
    assert (row.is_listed, row.generation) == (True, 1)


def test_a_missing_instance_is_not_made_up(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()

    with pytest.raises(NotFound):
        sync.read_instance(watched.client, watched.workflow(), "nobody", now=watched.clock())

    assert not Instance.objects.filter(instance_id="nobody").exists()


def test_a_workflow_that_is_no_longer_listed_is_marked_and_its_instances_are_kept(
    watched: Watched,
) -> None:
    watched.add("complete")
    watched.add("complete", workflow="refunds")
    watched.sync()
    del watched.server.world.workflows["refunds"]
    watched.advance(5)

    watched.sync()

    assert Workflow.objects.get(name="refunds").gone_at == watched.clock()
    assert len(watched.copied("refunds")) == 1


def test_what_fails_for_one_workflow_leaves_the_others_alone(watched: Watched) -> None:
    watched.add("complete", workflow="broken")
    watched.add("complete")
    watched.server.faults.add("html", path="/broken/instances", status=502, times=None)

    account = watched.sync()

    assert watched.copied() == watched.listed()
    assert watched.workflow("broken").sync_error == account.sync_error != ""
    assert account.synced_at is None


def test_a_rate_limit_stops_the_sync_and_is_obeyed(watched: Watched) -> None:
    watched.add("complete")
    watched.server.faults.add("rate-limited", retry_after=120, times=1)

    account = watched.sync()

    assert account.sync_error
    assert account.next_sync_at >= START + timedelta(seconds=120)
    assert account.synced_at is None


def test_cloudflare_away_is_told_and_the_copy_stays(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()
    before = watched.copied()
    watched.server.stop()
    watched.client._transport._tries = 1

    account = watched.sync()

    assert account.sync_error
    assert account.sync_failed_at is not None
    assert watched.copied() == before
    assert Workflow.objects.get().gone_at is None


def test_statuses_that_are_counted_as_zero_are_not_asked_for(watched: Watched) -> None:
    watched.add("paused")

    watched.sync()

    asked = {entry["query"] for entry in watched.server.requests if "status=" in entry["query"]}
    assert {query.split("status=")[1].split("&")[0] for query in asked} == {"paused"}


def test_an_unknown_status_is_kept_as_it_came(watched: Watched) -> None:
    watched.add("complete")
    watched.server.faults.add("unknown-status", path="/instances", times=None)

    watched.sync()

    status = Instance.objects.get().status
    assert status not in NINE
    assert status


def test_versions_are_copied_with_what_they_say(watched: Watched) -> None:
    watched.add("complete")

    watched.sync()

    version = Version.objects.get()
    assert version.version_id == watched.row(next(iter(watched.copied()))).version_id


def test_a_spent_budget_stops_the_sync_without_an_error(watched: Watched) -> None:
    watched.add("complete")
    with client_of(watched.server, gate=Allowing(1)) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)

    account = watched.account
    assert account.waits_for_budget
    assert (account.sync_error, account.sync_failed_at, account.synced_at) == ("", None, None)
    assert account.next_sync_at == watched.clock() + timedelta(seconds=40)


def test_a_sync_after_the_wait_goes_on_and_no_longer_waits(watched: Watched) -> None:
    watched.add("complete")
    with client_of(watched.server, gate=Allowing(1)) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)

    account = watched.sync()

    assert not account.waits_for_budget
    assert account.synced_at
    assert watched.copied() == watched.listed()


def test_history_and_details_of_errors_are_asked_for_in_lanes_of_their_own(
    watched: Watched,
) -> None:
    for number in range(1_250):
        watched.add("complete", age=10_000 - number)
    watched.add("errored")
    gate = Allowing(100)
    with client_of(watched.server, gate=gate) as client:
        sync.sync_account(client.in_lane(Lane.FRESHNESS), watched.account, clock=watched.clock)

    lanes = Counter(gate.lanes)
    assert gate.lanes[0] == Lane.FRESHNESS
    assert (lanes[Lane.WATCHED], lanes[Lane.BACKFILL]) == (1, 3)


def test_the_old_shape_is_copied_as_well(db: None) -> None:
    with simulator_server.serve("incident", now=START, shape="old", instances=200) as server:
        watched = Watched(
            server,
            client_of(server),
            Account.objects.create(account_id=server.account_id, name="old"),
        )
        with watched.client:
            account = watched.sync()
            names = list(Workflow.objects.values_list("name", flat=True))
            assert account.sync_error == ""
            assert all(watched.copied(name) == watched.listed(name) for name in names)


def client_of(server: Server, gate: Gate | None = None) -> Client:
    credentials = Credentials(token=server.token)
    return Client(server.account_id, credentials, base_url=server.url, gate=gate)
