"""Tasks, called as a worker calls them: the database says what is due, and twice does no harm."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import Task
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from dashboard import operations, sync, tasks
from dashboard.celery import app
from dashboard.models import (
    Account,
    Instance,
    Item,
    StepFeed,
    UncountedPast,
    User,
    WorkflowPeriod,
    leases,
)
from dashboard.models.operation import Kind, State
from dashboard.operations import Wanted
from dashboard.simulator.server import Server
from dashboard.sync.account import LEASE
from tests.fixtures import Watched
from tests.rows import instance
from tests.servers.redis import Redis


@pytest.fixture(autouse=True)
def _budget(redis_server: Redis, settings: Settings) -> None:
    """Workers have a Redis, or they would have no task."""
    settings.BUDGET_REDIS_URL = redis_server.url


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The accounts that were handed to a worker."""
    handed: list[str] = []
    monkeypatch.setattr(
        tasks.sync_account, "apply_async", lambda args, **options: handed.append(args[0])
    )
    return handed


def test_a_configured_account_is_due_at_once(db: None, configured: Server, sent: list[str]) -> None:
    tasks.sync_due_accounts()

    assert sent == [configured.account_id]
    assert Account.objects.get().account_id == configured.account_id


@pytest.mark.parametrize(
    ("facts", "is_due"),
    [
        ({"next_sync_at": timedelta(minutes=-1)}, True),
        ({"next_sync_at": timedelta(minutes=5)}, False),
        ({"leased_until": timedelta(minutes=5)}, False),
        ({"leased_until": timedelta(minutes=-5)}, True),
    ],
)
def test_an_account_is_due_when_its_time_has_come_and_nobody_syncs_it(
    db: None, configured: Server, sent: list[str], facts: dict[str, timedelta], is_due: bool
) -> None:
    moments = {name: timezone.now() + delta for name, delta in facts.items()}
    Account.objects.create(account_id=configured.account_id, name="test", **moments)

    tasks.sync_due_accounts()

    assert bool(sent) is is_due


def test_an_account_that_is_only_remembered_is_not_synced(
    db: None, configured: Server, sent: list[str]
) -> None:
    Account.objects.create(account_id="remembered", name="old")

    tasks.sync_due_accounts()

    assert sent == [configured.account_id]


def test_a_sync_copies_the_account(watched: Watched, configured: Server) -> None:
    instance_id = watched.add("running")

    tasks.sync_account(configured.account_id)

    assert Instance.objects.get().instance_id == instance_id
    watched.account.refresh_from_db()
    assert watched.account.sync_error == ""
    assert watched.account.next_sync_at is not None


@pytest.mark.parametrize(
    ("tick", "task"),
    [
        (tasks.sync_due_accounts, tasks.sync_account),
        (tasks.read_due_feeds, tasks.read_feed),
        (tasks.read_due_steps, tasks.read_steps),
    ],
)
def test_a_tick_sends_what_is_due_and_the_task_does_it_once(
    watched: Watched,
    configured: Server,
    monkeypatch: pytest.MonkeyPatch,
    tick: Callable[[], None],
    task: Task[[str], None],
) -> None:
    """Of read_steps too: it asks only where the workflows are known."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    Account.objects.update(counted_at=now)
    handed: list[str] = []
    monkeypatch.setattr(task, "apply_async", lambda args, **_: handed.append(args[0]))

    tick()
    assert handed == [configured.account_id]
    task(*handed)
    asked = len(configured.requests)
    task(*handed)
    tick()

    assert len(handed) == 1
    assert len(configured.requests) == asked


LEASES = ["leased_until", "history_leased_until", "next_feed_at"]


@pytest.mark.parametrize("lease", [*LEASES, "next_at"])
def test_of_two_that_want_a_lease_one_gets_it_and_a_lost_one_is_replaced(
    watched: Watched, lease: str
) -> None:
    row = watched.account if lease in LEASES else StepFeed.of(watched.account)
    now, minute = timezone.now(), timedelta(seconds=60)

    assert leases.take(row, lease, now=now, duration=minute)
    assert not leases.take(row, lease, now=now + timedelta(seconds=59), duration=minute)
    assert leases.take(row, lease, now=now + timedelta(seconds=61), duration=minute)


def test_an_account_that_somebody_syncs_is_left_alone(watched: Watched, configured: Server) -> None:
    watched.add("running")
    minutes = timedelta(minutes=5)
    assert leases.take(watched.account, "leased_until", now=timezone.now(), duration=minutes)

    tasks.sync_account(configured.account_id)

    assert configured.requests == []


@pytest.mark.parametrize("is_another_since", [False, True])
def test_what_a_worker_held_when_its_database_went_away_is_free_once_that_is_back(
    watched: Watched, configured: Server, monkeypatch: pytest.MonkeyPatch, is_another_since: bool
) -> None:
    """Unless the lease has ended by itself meanwhile, and another worker has it."""

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("the connection was lost")

    monkeypatch.setattr(sync, "freshen", fail)
    left: list[tuple[str, int, str, float]] = []
    monkeypatch.setattr(tasks.end_lease, "apply_async", lambda args, **_: left.append(args))

    with pytest.raises(OperationalError):
        tasks.sync_account(configured.account_id)
    assert not Account.objects.due(timezone.now()).exists()
    if is_another_since:
        later = timezone.now() + timedelta(seconds=61)
        assert leases.take(watched.account, "leased_until", now=later, duration=LEASE)
    tasks.end_lease(*left[0])

    assert Account.objects.due(timezone.now()).exists() is not is_another_since


def test_a_failed_sync_is_written_down_and_raises_nothing(
    watched: Watched, configured: Server
) -> None:
    configured.stop()

    tasks.sync_account(configured.account_id)

    watched.account.refresh_from_db()
    assert watched.account.sync_error != ""


def test_operations_are_followed_until_they_were_seen(
    watched: Watched, configured: Server, operator: User
) -> None:
    instance_id = watched.add("running")
    watched.sync()
    wanted = Wanted(kind=Kind.PAUSE, user=operator, key=uuid.uuid4())
    operations.perform(watched.client, watched.workflow(), instance_id, wanted, clock=watched.clock)
    assert Item.objects.get().state == State.ACCEPTED
    watched.advance(7 * 3600)
    Item.objects.update(next_look_at=timezone.now() - timedelta(seconds=1), watched_until=None)

    tasks.follow_operations()
    tasks.follow_operations()

    assert Item.objects.get().state == State.DONE
    assert len(watched.sent()) == 1


def test_operations_on_an_account_that_is_not_configured_any_more_stay_as_they_are(
    watched: Watched, operator: User
) -> None:
    instance_id = watched.add("running")
    watched.sync()
    wanted = Wanted(kind=Kind.PAUSE, user=operator, key=uuid.uuid4())
    operations.perform(watched.client, watched.workflow(), instance_id, wanted, clock=watched.clock)
    Item.objects.update(next_look_at=timezone.now() - timedelta(seconds=1))

    tasks.follow_operations()

    assert Item.objects.get().state == State.ACCEPTED


def test_history_counts_what_was_held_before_and_folds_what_is_old(db: None) -> None:
    ended_on = timezone.now() - timedelta(days=20)
    held = instance("one", "errored", created_on=ended_on, ended_on=ended_on)
    UncountedPast.objects.create(began_at=timezone.now(), last_pk=held.pk)
    opens = (ended_on - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    for number in range(3):
        begins_on = opens + number * timedelta(minutes=5)
        WorkflowPeriod.objects.create(workflow=held.workflow, begins_on=begins_on, errored=1)

    tasks.tend_history()
    tasks.tend_history()

    kept = WorkflowPeriod.objects.order_by("begins_on").values_list("errored", flat=True)
    assert [*kept] == [3, 1]
    assert not UncountedPast.objects.exists()


def test_beat_knows_only_tasks_that_exist(settings: Settings) -> None:
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
