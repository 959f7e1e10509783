"""Celery: connect, read the clock, make one call.

The database says what is due; a task that is lost or run twice does no harm.
"""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Protocol

from celery import Task
from django.apps import apps
from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from dashboard import alerts, connection, evidence, operations, sync
from dashboard.celery import app
from dashboard.cloudflare import Client, Lane, Spender
from dashboard.logs import DATABASE_AWAY
from dashboard.models import (
    Account,
    StepFeed,
    group_past,
    group_pruning,
    history_folding,
    history_past,
    leases,
    normal_learning,
    pruning,
    step_folding,
    step_pruning,
)
from dashboard.models.account import AccountQuerySet
from dashboard.models.snapshot import prune_snapshots
from dashboard.sync.account import LEASE
from dashboard.sync.pages import Clock

#: How long one round of forgetting may take; the next goes on from there.
PRUNE_SECONDS = 60
#: The same of what history still has to count and to fold.
HISTORY_SECONDS = 20
#: The same of learning what is usual.
LEARN_SECONDS = 10


class Work(Protocol):
    """What a worker does for one account."""

    def __call__(self, client: Client, account: Account, *, clock: Clock) -> None: ...


@app.task(throws=DATABASE_AWAY)
def sync_due_accounts() -> None:
    """Sends each configured account whose sync, or back-fill, is due to a worker."""
    configured = connection.configured_accounts()
    sync.ensure_accounts((account.account_id, account.name) for account in configured.values())
    now = timezone.now()
    _send(sync_account, Account.objects.due(now), expires=30)
    _send(back_fill_account, Account.objects.due_for_history(now), expires=30)


@app.task(throws=DATABASE_AWAY)
def sync_account(account_id: str) -> None:
    """Looks at what has changed in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    _take_turn(sync.freshen, account, Lane.FRESHNESS, (account, "leased_until"))


@app.task(throws=DATABASE_AWAY)
def back_fill_account(account_id: str) -> None:
    """Reads older pages of one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    _take_turn(sync.back_fill, account, Lane.BACKFILL, (account, "history_leased_until"))


@app.task(throws=DATABASE_AWAY)
def read_due_feeds() -> None:
    """Sends each configured account whose events are to be read to a worker."""
    _send(read_feed, Account.objects.feed_due(timezone.now()))


@app.task(throws=DATABASE_AWAY)
def read_feed(account_id: str) -> None:
    """Reads what has happened in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    _take_turn(sync.read_feed, account, Lane.WATCHED, (account, "next_feed_at"))


@app.task(throws=DATABASE_AWAY)
def read_due_steps() -> None:
    """Sends each configured account whose step events are to be read to a worker."""
    _send(read_steps, Account.objects.steps_due(timezone.now()))


@app.task(throws=DATABASE_AWAY)
def read_steps(account_id: str) -> None:
    """Reads how steps went in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    _take_turn(sync.read_steps, account, Lane.BACKFILL, (StepFeed.of(account), "next_at"))


@app.task(
    throws=DATABASE_AWAY, autoretry_for=DATABASE_AWAY, max_retries=None, default_retry_delay=1
)
def end_lease(model: str, pk: int, lease: str, until: float) -> None:
    """Gives back what a worker held when its database went away, as soon as that answers again."""
    row = apps.get_model("dashboard", model)(pk=pk)
    leases.end(row, lease, until=datetime.fromtimestamp(until, tz=UTC))


@app.task(throws=DATABASE_AWAY)
def follow_operations() -> None:
    """Looks at the instances whose operations have not been seen to end."""
    operations.follow_due(
        lambda account_id: connection.connect(account_id, Lane.WATCHED, Spender.OPERATIONS),
        clock=timezone.now,
    )


@app.task(throws=DATABASE_AWAY)
def run_operations() -> None:
    """Sends each operation on many that has something to do to a worker."""
    for pk in operations.due(timezone.now()):
        run_operation.apply_async((str(pk),), expires=10)


@app.task(throws=DATABASE_AWAY)
def run_operation(pk: str) -> None:
    """Works on one operation on many, unless somebody else does so at this moment."""
    operations.run(
        uuid.UUID(pk),
        lambda account_id: connection.connect(account_id, Lane.BULK, Spender.OPERATIONS),
        clock=timezone.now,
    )


@app.task(throws=DATABASE_AWAY)
def keep_due_evidence() -> None:
    """Sends each configured account to a worker, to keep what Cloudflare is about to delete."""
    _send(keep_evidence, Account.objects.all(), expires=60)


@app.task(throws=DATABASE_AWAY)
def keep_evidence(account_id: str) -> None:
    """Keeps what Cloudflare is about to delete in one account. Twice at once does no harm."""
    account = Account.objects.get(account_id=account_id)
    client = connection.connect(account_id, Lane.BACKFILL, Spender.WORKER)
    evidence.keep_due(client, account, clock=timezone.now)


@app.task(throws=DATABASE_AWAY)
def learn_normals() -> None:
    """Works out how long steps usually take, where that was done some minutes ago, and holds to it
    what was read before."""
    now, end = timezone.now(), time.monotonic() + LEARN_SECONDS
    normal_learning.learn_normals(now=now, is_time_up=lambda: time.monotonic() >= end)


@app.task(throws=DATABASE_AWAY)
def judge_alerts() -> None:
    """Holds each alert rule against what is known now."""
    alerts.judge(timezone.now())


@app.task(throws=DATABASE_AWAY)
def deliver_alerts() -> None:
    """Sends each delivery that is due to a worker."""
    for pk in alerts.due(timezone.now()):
        deliver_alert.apply_async((pk,), expires=10)


@app.task(throws=DATABASE_AWAY)
def deliver_alert(pk: int) -> None:
    """Sends one delivery, unless somebody else does."""
    alerts.deliver(pk, clock=timezone.now)


@app.task(throws=DATABASE_AWAY)
def note_readings() -> None:
    """Notes what nothing else remembers, for the rules that look back."""
    budgets = [
        (names, 100 - 100 * reading.used / reading.quota)
        for names, budget in connection.budgets()
        if (reading := budget.read())
    ]
    alerts.note_readings(connection.configured_accounts(), budgets, timezone.now())


@app.task(throws=DATABASE_AWAY)
def prune() -> None:
    """Forgets instances that ended more than KEEP_DAYS ago, if that is set, unpinned snapshots and
    history as old, how steps went, and what alert rules look back at."""
    keep = timedelta(days=settings.KEEP_DAYS) if settings.KEEP_DAYS else None
    now, end = timezone.now(), time.monotonic() + PRUNE_SECONDS

    def is_time_up() -> bool:
        return time.monotonic() >= end

    if keep:
        pruning.prune(keep=keep, now=now, is_time_up=is_time_up)
        prune_snapshots(before=now - keep, is_time_up=is_time_up)
        history_folding.prune_history(before=now - keep, is_time_up=is_time_up)
        group_pruning.prune_group_hours(before=now - keep, is_time_up=is_time_up)
    step_pruning.prune_steps(keep=keep, now=now, is_time_up=is_time_up)
    step_folding.fold_hours(now=now, is_time_up=is_time_up)
    alerts.forget_readings(now)


@app.task(throws=DATABASE_AWAY)
def tend_history() -> None:
    """Counts instances that were held before history was kept, groups failures that were read
    before they were grouped, and folds what is old in history. Twice at once does no harm."""
    now, end = timezone.now(), time.monotonic() + HISTORY_SECONDS

    def is_time_up() -> bool:
        return time.monotonic() >= end

    history_past.count_past(now=now, is_time_up=is_time_up)
    group_past.group_past(now=now, is_time_up=is_time_up)
    history_folding.fold_history(now=now, is_time_up=is_time_up)


def _send(task: Task[[str], None], accounts: AccountQuerySet, *, expires: int = 10) -> None:
    """Sends those of the accounts that are configured to a worker; so late, in seconds, it is
    pointless."""
    for account in accounts.filter(account_id__in=connection.configured_accounts()):
        task.apply_async((account.account_id,), expires=expires)


def _take_turn(work: Work, account: Account, lane: Lane, held: tuple[Model, str]) -> None:
    """Does the work for the account, unless somebody else holds its lease."""
    row, lease = held
    if not leases.take(row, lease, now=timezone.now(), duration=LEASE):
        return
    client = connection.connect(account.account_id, lane, Spender.WORKER)
    try:
        work(client, account, clock=timezone.now)
    except DATABASE_AWAY:
        # Nobody can have a lease for longer, until the database is back. Ours would then keep all
        # others from working until it ends.
        until = (timezone.now() + LEASE).timestamp()
        told = (row._meta.model_name, row.pk, lease, until)
        end_lease.apply_async(told, countdown=1, expires=LEASE.total_seconds())
        raise
