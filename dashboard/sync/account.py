"""One sync of an account: the workflows with their counts, then whatever they say has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from dashboard.cloudflare import Client, Lane
from dashboard.cloudflare.errors import (
    BudgetSpent,
    CloudflareError,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from dashboard.cloudflare.types import Status
from dashboard.models import Account, Version, Workflow, recording
from dashboard.sync.feed import read_hinted
from dashboard.sync.sweep import READS_PER_SYNC, read_each, sweep_unfinished
from dashboard.sync.walk import Clock, walk_newest

logger = logging.getLogger(__name__)

#: The workflow list, with its counts, is read this often; the rest follows from it.
SHORTEST_PAUSE = timedelta(seconds=4)
#: Unfinished instances can move without a count changing (running and waiting trade places).
SWEEP_EVERY = timedelta(seconds=30)
WALK_EVERY = timedelta(minutes=5)
VERSIONS_EVERY = timedelta(hours=1)
PAUSE_AFTER_ERROR = timedelta(seconds=15)
LEASE = timedelta(seconds=60)

SYNC_FIELDS = [
    "counted_at", "synced_at", "next_sync_at", "leased_until", "sync_error", "sync_failed_at",
    "last_requests", "last_seconds", "waits_for_budget",
]  # fmt: skip

#: Told after each workflow: (workflow's name, how many are done, how many there are).
Report = Callable[[str, int, int], None]


def ensure_accounts(configured: Iterable[tuple[str, str]]) -> list[Account]:
    """The rows of the configured accounts, given as (account id, name); made where missing."""
    rows = []
    for account_id, name in configured:
        row, _ = Account.objects.update_or_create(account_id=account_id, defaults={"name": name})
        rows.append(row)
    return rows


def sync_account(
    client: Client, account: Account, *, clock: Clock, report: Report | None = None
) -> None:
    """Brings the local copy of one account up to date, and writes down how that went.

    Never raises CloudflareError: what failed stands in `account.sync_error` and in each workflow's,
    and the next sync takes up where this one stopped. A budget that is spent is no failure: the
    sync stops, and goes on when it may.
    """
    before, began = client.request_count, clock()
    try:
        workflows = recording.record_workflows(account, list(client.list_workflows()), now=clock())
        account.counted_at = clock()
        errors = _sync_workflows(client, account, workflows, clock, report)
    except BudgetSpent as spent:
        asked = client.request_count - before
        _finish(account, asked, began, clock(), [], goes_on_in=spent.retry_after)
    except CloudflareError as error:
        _finish(account, client.request_count - before, began, clock(), [error])
    else:
        _finish(account, client.request_count - before, began, clock(), errors)


def _sync_workflows(
    client: Client,
    account: Account,
    workflows: list[Workflow],
    clock: Clock,
    report: Report | None,
) -> list[CloudflareError]:
    """Syncs each workflow. What hits one workflow leaves the others alone; what hits all, stops."""
    errors: list[CloudflareError] = []
    for done, workflow in enumerate(workflows, start=1):
        Account.objects.filter(pk=account.pk).update(leased_until=clock() + LEASE)
        try:
            sync_workflow(client, workflow, clock=clock)
        except (RateLimited, Unauthorized, Unreachable):
            raise
        except CloudflareError as error:
            logger.warning("Sync of workflow %s: %s", workflow.name, error)
            Workflow.objects.filter(pk=workflow.pk).update(sync_error=str(error))
            errors.append(error)
        else:
            Workflow.objects.filter(pk=workflow.pk).exclude(sync_error="").update(sync_error="")
        if report:
            report(workflow.name, done, len(workflows))
    return errors


def sync_workflow(client: Client, workflow: Workflow, *, clock: Clock) -> None:
    """Syncs one workflow as far as its counts and its age say that there is something to see.

    Raises CloudflareError.
    """
    now = clock()
    if _is_walk_due(workflow, now):
        is_first = workflow.walked_through is None
        walk_newest(client.in_lane(Lane.BACKFILL) if is_first else client, workflow, clock=clock)
    if _is_sweep_due(workflow, now):
        sweep_unfinished(client, workflow, clock=clock)
    _read_missing_details(client.in_lane(Lane.WATCHED), workflow, clock)
    if client.target.has_versions and _are_versions_due(workflow, now):
        recording.record_versions(workflow, client.list_versions(workflow.name), now=now)


def _is_walk_due(workflow: Workflow, now: datetime) -> bool:
    if workflow.walked_at is None or workflow.walked_through is None:
        return True
    has_changed = workflow.changed_at is not None and workflow.changed_at > workflow.walked_at
    return has_changed or now - workflow.walked_at > WALK_EVERY


def _is_sweep_due(workflow: Workflow, now: datetime) -> bool:
    if workflow.swept_at is None:
        return True
    if workflow.changed_at is not None and workflow.changed_at > workflow.swept_at:
        return True
    return now - workflow.swept_at > SWEEP_EVERY and workflow.instances.unfinished().exists()


def _are_versions_due(workflow: Workflow, now: datetime) -> bool:
    if workflow.versions_at is None or now - workflow.versions_at > VERSIONS_EVERY:
        return True
    newest = workflow.instances.exclude(version_id="").newest_first().first()
    if newest is None:
        return False
    return not Version.objects.filter(workflow=workflow, version_id=newest.version_id).exists()


def _read_missing_details(client: Client, workflow: Workflow, clock: Clock) -> None:
    """Reads what lists do not hold: what events hint at; the error of an errored instance; and,
    where the target's rows hold no times at all, those of every instance."""
    hinted = read_hinted(client, workflow, READS_PER_SYNC, clock=clock)
    without = workflow.instances.without_read().select_related("workflow").newest_first()
    if client.target.has_list_times:
        without = without.filter(status=Status.ERRORED)
    read_each(client, list(without[: READS_PER_SYNC - hinted]), clock=clock)


def _finish(
    account: Account,
    requests: int,
    began: datetime,
    now: datetime,
    errors: list[CloudflareError],
    *,
    goes_on_in: float | None = None,
) -> None:
    """Writes down how the sync went, and when the next is due. `goes_on_in`: seconds until the
    budget has something left for it, when that stopped it.
    """
    pause = SHORTEST_PAUSE
    account.last_requests = requests
    account.last_seconds = (now - began).total_seconds()
    account.leased_until = None
    account.waits_for_budget = goes_on_in is not None
    if errors:
        account.sync_error = str(errors[0])
        account.sync_failed_at = now
        retry_after = getattr(errors[0], "retry_after", None) or 0
        pause = max(pause, PAUSE_AFTER_ERROR, timedelta(seconds=retry_after))
    elif goes_on_in is not None:
        pause = max(pause, timedelta(seconds=goes_on_in))
    else:
        account.sync_error = ""
        account.synced_at = now
    account.next_sync_at = now + pause
    # Only these: who reads the events writes the others, at the same time.
    account.save(update_fields=SYNC_FIELDS)
