"""Celery: connect, read the clock, make one call.

The database says what is due; a task that is lost or run twice does no harm.
"""

from __future__ import annotations

from django.utils import timezone

from dashboard import connection, operations, sync
from dashboard.celery import app
from dashboard.cloudflare import Lane, Spender
from dashboard.logs import DATABASE_AWAY
from dashboard.models import Account
from dashboard.sync.account import LEASE


@app.task(throws=DATABASE_AWAY)
def sync_due_accounts() -> None:
    """Sends each configured account whose sync is due to a worker."""
    configured = connection.configured_accounts()
    sync.ensure_accounts((account.account_id, account.name) for account in configured.values())
    watched = Account.objects.filter(account_id__in=configured)
    for account in watched.due(timezone.now()):
        sync_account.apply_async((account.account_id,), expires=30)
    for account in watched.due_for_history(timezone.now()):
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
def follow_operations() -> None:
    """Looks at the instances whose operations have not been seen to end."""
    operations.follow_due(
        lambda account_id: connection.connect(account_id, Lane.WATCHED, Spender.OPERATIONS),
        clock=timezone.now,
    )
