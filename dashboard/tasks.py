"""Celery: connect, read the clock, make one call.

The database says what is due; a task that is lost or run twice does no harm.
"""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from dashboard import connection, evidence, operations, sync
from dashboard.celery import app
from dashboard.cloudflare import Lane, Spender
from dashboard.logs import DATABASE_AWAY
from dashboard.models import Account, StepFeed, pruning, step_folding, step_pruning
from dashboard.models.snapshot import prune_snapshots
from dashboard.sync.account import LEASE

#: How long one round of forgetting may take; the next goes on from there.
PRUNE_SECONDS = 60


@app.task(throws=DATABASE_AWAY)
def sync_due_accounts() -> None:
    """Sends each configured account whose sync, or back-fill, is due to a worker."""
    configured = connection.configured_accounts()
    sync.ensure_accounts((account.account_id, account.name) for account in configured.values())
    accounts, now = Account.objects.filter(account_id__in=configured), timezone.now()
    for account in accounts.due(now):
        sync_account.apply_async((account.account_id,), expires=30)
    for account in accounts.due_for_history(now):
        back_fill_account.apply_async((account.account_id,), expires=30)


@app.task(throws=DATABASE_AWAY)
def sync_account(account_id: str) -> None:
    """Looks at what has changed in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    if not account.take_lease(timezone.now(), LEASE):
        return
    client = connection.connect(account_id, Lane.FRESHNESS, Spender.WORKER)
    sync.freshen(client, account, clock=timezone.now)


@app.task(throws=DATABASE_AWAY)
def back_fill_account(account_id: str) -> None:
    """Reads older pages of one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    if not account.take_lease(timezone.now(), LEASE, lease="history_leased_until"):
        return
    client = connection.connect(account_id, Lane.BACKFILL, Spender.WORKER)
    sync.back_fill(client, account, clock=timezone.now)


@app.task(throws=DATABASE_AWAY)
def read_due_feeds() -> None:
    """Sends each configured account whose events are to be read to a worker."""
    configured = connection.configured_accounts()
    for account in Account.objects.feed_due(timezone.now()).filter(account_id__in=configured):
        read_feed.apply_async((account.account_id,), expires=10)


@app.task(throws=DATABASE_AWAY)
def read_feed(account_id: str) -> None:
    """Reads what has happened in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    if not account.take_feed(timezone.now(), LEASE):
        return
    client = connection.connect(account_id, Lane.WATCHED, Spender.WORKER)
    sync.read_feed(client, account, clock=timezone.now)


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
def prune() -> None:
    """Forgets instances that ended more than KEEP_DAYS ago, if that is set, unpinned snapshots as
    old, and how steps went."""
    keep = timedelta(days=settings.KEEP_DAYS) if settings.KEEP_DAYS else None
    now, end = timezone.now(), time.monotonic() + PRUNE_SECONDS

    def is_time_up() -> bool:
        return time.monotonic() >= end

    if keep:
        pruning.prune(keep=keep, now=now, is_time_up=is_time_up)
        prune_snapshots(before=now - keep, is_time_up=is_time_up)
    step_pruning.prune_steps(keep=keep, now=now, is_time_up=is_time_up)
    step_folding.fold_hours(now=now, is_time_up=is_time_up)


@app.task(throws=DATABASE_AWAY)
def read_due_steps() -> None:
    """Sends each configured account whose step events are to be read to a worker."""
    configured = connection.configured_accounts()
    for account in Account.objects.steps_due(timezone.now()).filter(account_id__in=configured):
        read_steps.apply_async((account.account_id,), expires=10)


@app.task(throws=DATABASE_AWAY)
def read_steps(account_id: str) -> None:
    """Reads how steps went in one account, unless somebody else does so at this moment."""
    account = Account.objects.get(account_id=account_id)
    if not StepFeed.of(account).take(timezone.now(), LEASE):
        return
    client = connection.connect(account_id, Lane.BACKFILL, Spender.WORKER)
    sync.read_steps(client, account, clock=timezone.now)


@app.task(throws=DATABASE_AWAY)
def keep_due_evidence() -> None:
    """Sends each configured account to a worker, to keep what Cloudflare is about to delete."""
    configured = connection.configured_accounts()
    for account in Account.objects.filter(account_id__in=configured):
        keep_evidence.apply_async((account.account_id,), expires=60)


@app.task(throws=DATABASE_AWAY)
def keep_evidence(account_id: str) -> None:
    """Keeps what Cloudflare is about to delete in one account. Twice at once does no harm."""
    account = Account.objects.get(account_id=account_id)
    client = connection.connect(account_id, Lane.BACKFILL, Spender.WORKER)
    evidence.keep_due(client, account, clock=timezone.now)
