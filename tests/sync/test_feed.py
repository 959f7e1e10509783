"""Events only say where to look first: what they leave out or tell twice changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from dashboard import sync
from dashboard.cloudflare import Action, Client, Credentials, EventType, WorkflowEvent
from dashboard.models import Account, Instance, recording
from dashboard.simulator.plan import Do, Failure, Plan, Sleep, in_turn
from dashboard.sync import feed
from tests.fixtures import START, Watched

DOWN = Failure("NonRetryableError", "card was declined")
LATE = Plan(in_turn(Sleep("nap", 3_600_000), Do("charge", 300, failures=(DOWN,), fails=True)))


def read_feed(watched: Watched) -> Account:
    """Only hears of them; reads none of the failures."""
    feed.hear(watched.client, watched.account, clock=watched.clock)
    return watched.account


def read_hinted(watched: Watched, workflow: str = "orders") -> int:
    return feed.read_hinted(watched.client, watched.workflow(workflow), 50, clock=watched.clock)


def hints() -> dict[str, str]:
    rows = Instance.objects.hinted()
    return dict(rows.values_list("instance_id", "hint"))


def paths(watched: Watched, since: int = 0) -> list[str]:
    return [entry["path"].partition("/workflows")[2] for entry in watched.server.requests[since:]]


def fail_after(watched: Watched, seconds: float, **facts: Any) -> str:
    """An instance that sleeps now and fails after so many seconds."""
    age = 3600 - seconds
    return watched.add("waiting", plan=LATE, age=age, **facts)


def test_an_old_instance_that_fails_among_5000_is_seen_without_walking_a_list(
    watched: Watched,
) -> None:
    old = fail_after(watched, 60, instance_id="old")
    watched.sync()
    home = watched.workflow()
    Instance.objects.bulk_create(
        Instance(
            workflow=home,
            instance_id=f"newer-{number}",
            status="waiting",
            created_on=START,
            seen_at=START,
            status_seen_at=START,
        )
        for number in range(5_000)
    )
    watched.advance(70)
    before = len(watched.server.requests)

    read_feed(watched)
    assert read_hinted(watched) == 1

    row = watched.row(old)
    assert (row.status, row.error_message) == ("errored", "card was declined")
    assert paths(watched, before) == ["", "/orders/instances/old"]
    assert hints() == {}


def test_a_hint_changes_no_status(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)

    read_feed(watched)

    row = watched.row("i")
    assert row.status == "waiting"
    assert (row.hint, row.hinted_at) == ("WORKFLOW_FAILURE", START + timedelta(seconds=20))


def test_the_next_sync_reads_what_is_hinted_at_although_the_lists_lag(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)
    watched.server.faults.add("lag", path=r"/instances\?", seconds=60, times=None)

    read_feed(watched)
    watched.sync()

    assert watched.listed() == {"i": "waiting"}
    assert watched.row("i").error_message == "card was declined"


def test_a_failure_is_read_at_once_without_waiting_for_a_turn(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="bad")
    watched.add("waiting", plan=Plan(in_turn(Sleep("nap", 3_600_000))), age=3_590, instance_id="ok")
    watched.sync()
    watched.advance(20)
    before = len(watched.server.requests)

    sync.read_feed(watched.client, watched.account, clock=watched.clock)

    assert watched.row("bad").error_message == "card was declined"
    assert paths(watched, before) == ["", "/orders/instances/bad"]
    assert set(hints()) == {"ok"}


def test_a_failure_that_cannot_be_read_is_left_to_the_planner(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)
    watched.server.faults.add("html", path="/instances/i", times=None)

    sync.read_feed(watched.client, watched.account, clock=watched.clock)
    before = len(watched.server.requests)
    watched.advance(10)
    sync.read_feed(watched.client, watched.account, clock=watched.clock)

    assert (hints(), watched.account.feed_error) == ({"i": "WORKFLOW_FAILURE"}, "")
    assert paths(watched, before) == [""]


def test_a_failure_whose_own_event_was_left_out_is_heard_of_by_its_step(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)
    told = WorkflowEvent(START + timedelta(seconds=5), EventType.STEP_FAILURE, "orders", "i", "c-1")
    monkeypatch.setattr(Client, "list_events", lambda *_args, **_kwargs: iter([told]))
    read_feed(watched)
    # A list that lags shows that it goes on.
    Instance.objects.update(status="running", status_seen_at=watched.clock())

    assert (watched.row("i").status, hints()) == ("running", {"i": "STEP_FAILURE"})
    assert read_hinted(watched) == 1
    assert (watched.row("i").status, hints()) == ("errored", {})


def test_failures_are_read_before_what_ended_well(watched: Watched) -> None:
    good = Plan(in_turn(Sleep("nap", 3_600_000)))
    for number in range(3):
        watched.add("waiting", plan=good, age=3_590, instance_id=f"good-{number}")
    fail_after(watched, 12, instance_id="bad")
    watched.sync()
    watched.advance(30)

    read_feed(watched)

    assert next(iter(hints())) == "bad"
    assert len(hints()) == 4


def test_a_second_reading_of_the_same_events_adds_nothing(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)
    read_feed(watched)
    hinted_at = watched.row("i").hinted_at
    watched.advance(10)

    read_feed(watched)
    assert watched.row("i").hinted_at == hinted_at
    read_hinted(watched)
    watched.advance(10)
    read_feed(watched)

    assert hints() == {}
    assert watched.row("i").hinted_at is None


def test_what_a_list_has_shown_in_the_meantime_needs_no_read(watched: Watched) -> None:
    watched.add("waiting", plan=Plan(in_turn(Sleep("nap", 3_600_000))), age=3_590, instance_id="i")
    watched.sync()
    watched.advance(20)
    read_feed(watched)
    assert set(hints()) == {"i"}
    [page] = watched.client.list_instances("orders")
    listed = recording.Listed(page.instances, watched.clock())
    recording.record_pages(watched.workflow(), [listed], now=watched.clock())

    assert watched.row("i").status == "complete"
    assert hints() == {}


def test_instances_that_begin_end_well_or_are_known_to_have_ended_give_no_hint(
    watched: Watched,
) -> None:
    watched.add("errored", instance_id="known", age=60)
    watched.sync()
    watched.add("complete", instance_id="new and done", age=2)
    watched.add("running", instance_id="new", age=1)
    watched.advance(10)
    before = len(watched.server.requests)

    read_feed(watched)

    assert hints() == {}
    assert len(watched.server.requests) == before + 1


def test_a_restart_of_an_old_instance_is_hinted_at(watched: Watched) -> None:
    watched.add("errored", instance_id="i", age=900)
    watched.sync()
    watched.advance(60)
    watched.client.change_instance_status("orders", "i", Action.RESTART)
    watched.advance(10)

    read_feed(watched)
    assert set(hints()) == {"i"}
    read_hinted(watched)

    assert watched.row("i").generation == 2


def test_a_second_failure_after_a_restart_is_hinted_at_anew(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(20)
    read_feed(watched)
    read_hinted(watched)
    watched.advance(60)
    told = WorkflowEvent(watched.clock(), EventType.WORKFLOW_FAILURE, "orders", "i")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "list_events", lambda *_args, **_kwargs: iter([told]))
        read_feed(watched)

    assert hints() == {"i": "WORKFLOW_FAILURE"}


def test_how_an_earlier_run_ended_is_no_news(watched: Watched) -> None:
    watched.add("errored", instance_id="i", age=900)
    watched.sync()
    watched.advance(60)
    ended_on = watched.row("i").ended_on
    assert ended_on
    watched.client.change_instance_status("orders", "i", Action.RESTART)
    watched.advance(2)
    Instance.objects.update(status="running", started_on=watched.clock(), read_on=None)
    told = WorkflowEvent(ended_on, EventType.WORKFLOW_FAILURE, "orders", "i")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "list_events", lambda *_args, **_kwargs: iter([told]))
        read_feed(watched)

    assert hints() == {}


def test_an_id_that_no_column_holds_is_ignored(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()
    told = [
        WorkflowEvent(watched.clock(), EventType.WORKFLOW_FAILURE, "orders", bad)
        for bad in ("nul\x00", "half\ud800", "long" * 100)
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "list_events", lambda *_args, **_kwargs: iter(told))
        account = read_feed(watched)

    assert (account.feed_error, Instance.objects.count()) == ("", 1)


def test_an_event_that_shows_late_is_found_by_the_overlap(watched: Watched) -> None:
    watched.server.feed.lag = 60
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    seen = []
    for _ in range(8):
        watched.advance(10)
        read_feed(watched)
        seen.append("i" in hints())

    assert seen == [False, False, False, False, False, False, True, True]


def test_gaps_of_sampling_are_left_to_the_polling(watched: Watched) -> None:
    watched.server.feed.share = 0.0
    fail_after(watched, 5, instance_id="i")
    watched.sync()
    watched.advance(40)

    account = read_feed(watched)
    watched.sync()

    assert (hints(), account.feed_error) == ({}, "")
    assert watched.row("i").status == "errored"


def test_a_failed_instance_that_was_never_seen_is_read_once(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()
    watched.add("errored", instance_id="unseen", age=30)
    watched.advance(10)

    read_feed(watched)
    before = len(watched.server.requests)
    watched.advance(10)
    read_feed(watched)

    assert watched.row("unseen").error_message == "card was declined"
    assert len(watched.server.requests) == before + 1


def test_few_unseen_instances_are_read_in_one_run_and_the_others_in_the_next(
    watched: Watched,
) -> None:
    watched.add("complete")
    watched.sync()
    for number in range(25):
        watched.add("errored", instance_id=f"i-{number}", age=30)
    watched.advance(10)
    counts = []
    for _ in range(3):
        read_feed(watched)
        counts.append(Instance.objects.filter(status="errored").count())

    assert counts == [10, 20, 25]


def test_an_unseen_instance_that_cannot_be_read_leaves_the_feed_well(watched: Watched) -> None:
    watched.add("complete")
    watched.sync()
    watched.add("errored", instance_id="unseen", age=30)
    watched.advance(10)
    watched.server.faults.add("html", path="/instances/unseen", times=None)

    account = read_feed(watched)

    assert (account.feed_error, account.feed_at) == ("", watched.clock())
    assert not Instance.objects.filter(instance_id="unseen").exists()


def test_a_run_begins_where_nothing_can_be_new_before(watched: Watched) -> None:
    def since() -> str:
        return str(watched.sent("POST")[-1]["variables"]["since"])

    read_feed(watched)
    assert since() == "2026-11-21T02:50:00.000Z"
    watched.advance(10)
    read_feed(watched)
    assert since() == "2026-11-21T02:58:00.000Z"
    watched.advance(7 * 24 * 3600)
    read_feed(watched)
    assert since() == "2026-11-28T02:00:10.000Z"


@pytest.mark.parametrize(("share", "seconds"), [(60, 4), (6, 35)])
def test_so_many_ticks_of_beat_after_a_run_the_feed_is_due(
    watched: Watched, settings: Settings, share: int, seconds: int
) -> None:
    """Its queries are taken from the budget: of a small one they would leave little to the rest."""
    settings.BUDGET_SHARE = share
    read_feed(watched)

    ticks = [START + timedelta(seconds=tick) for tick in (seconds - 1, seconds)]
    assert [Account.objects.feed_due(tick).exists() for tick in ticks] == [False, True]


def test_a_run_that_is_cut_short_goes_on_where_it_stopped(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "EVENTS_PER_RUN", 8)
    for number in range(6):
        watched.add("waiting", plan=LATE, age=3_595 - 2 * number, instance_id=f"i-{number}")
    watched.sync()
    watched.advance(40)
    Account.objects.update(fed_through=START)
    watched.account.refresh_from_db()

    read_feed(watched)
    first = len(hints())
    read_feed(watched)
    read_feed(watched)

    assert first == 4
    assert len(hints()) == 6


def test_without_the_permission_polling_carries_on_alone(watched: Watched) -> None:
    fail_after(watched, 5, instance_id="i")
    server = watched.server
    credentials = Credentials(token=server.no_analytics_token)
    with Client(server.account_id, credentials, base_url=server.url) as client:
        sync.sync_account(client, watched.account, clock=watched.clock)
        watched.advance(40)

        sync.read_feed(client, watched.account, clock=watched.clock)
        sync.sync_account(client, watched.account, clock=watched.clock)

    account = Account.objects.get()
    assert account.feed_error == "the token lacks Account Analytics: Read."
    assert account.next_feed_at == watched.clock() + timedelta(minutes=10)
    assert (account.sync_error, watched.row("i").status) == ("", "errored")


def test_wrangler_has_no_events_and_is_not_asked(watched: Watched) -> None:
    with Client("local", Credentials(), base_url=watched.server.origin) as client:
        sync.read_feed(client, watched.account, clock=watched.clock)

    assert watched.account.feed_error == "wrangler dev has no event feed."
    assert watched.server.requests == []


def test_the_limit_of_queries_is_obeyed(watched: Watched) -> None:
    watched.server.feed.limit.quota = 1
    read_feed(watched)
    watched.advance(10)

    account = read_feed(watched)

    assert "accepts no more queries" in account.feed_error
    assert account.next_feed_at == watched.clock() + timedelta(minutes=5)


def test_what_failed_is_forgotten_when_it_works_again(watched: Watched) -> None:
    watched.server.faults.add("html", path="graphql", times=1)
    assert read_feed(watched).feed_error
    watched.advance(30)

    account = read_feed(watched)

    assert (account.feed_error, account.feed_at) == ("", watched.clock())


def test_a_sync_leaves_alone_what_the_feed_has_written_meanwhile(watched: Watched) -> None:
    stale = Account.objects.get()
    read_feed(watched)

    sync.sync_account(watched.client, stale, clock=watched.clock)

    assert Account.objects.get().feed_at == START


@pytest.mark.parametrize("kind", ["WORKFLOW_TELEPORTED", "ATTEMPT_FAILURE"])
def test_an_event_of_another_kind_is_no_hint(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    watched.add("waiting", instance_id="i")
    watched.sync()
    watched.advance(10)
    told = WorkflowEvent(watched.clock(), EventType(kind), "orders", "i")
    monkeypatch.setattr(Client, "list_events", lambda *_args, **_kwargs: iter([told]))

    read_feed(watched)

    assert hints() == {}


def test_events_of_workflows_that_are_not_known_here_are_ignored(watched: Watched) -> None:
    watched.add("errored", workflow="unheard of", age=30)
    watched.advance(10)

    assert read_feed(watched).feed_error == ""
    assert not Instance.objects.exists()
