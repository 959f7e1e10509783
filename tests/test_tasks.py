"""Tasks, called as a worker calls them: the database says what is due, and twice does no harm."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from dashboard import operations, tasks
from dashboard.celery import app
from dashboard.models import Account, Instance, Item, User
from dashboard.models.operation import Kind, State
from dashboard.operations import Wanted
from dashboard.simulator.server import Server
from tests.fixtures import Watched
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


def test_an_account_that_somebody_syncs_is_left_alone(watched: Watched, configured: Server) -> None:
    watched.add("running")
    assert watched.account.take_lease(timezone.now(), timedelta(minutes=5))

    tasks.sync_account(configured.account_id)

    assert configured.requests == []


def test_of_two_that_want_the_lease_one_gets_it(watched: Watched) -> None:
    now = timezone.now()

    assert watched.account.take_lease(now, timedelta(seconds=60))
    assert not watched.account.take_lease(now + timedelta(seconds=59), timedelta(seconds=60))
    assert watched.account.take_lease(now + timedelta(seconds=61), timedelta(seconds=60))


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


def test_beat_knows_only_tasks_that_exist(settings: Settings) -> None:
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
