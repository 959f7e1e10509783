"""The instance behind a permalink: asked of Cloudflare, or else as it was last known.

However many people look at one instance, Cloudflare is asked for it once in two seconds; and while
Cloudflare fails, once in five. The cache is an economy between viewers, not a record.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import BudgetSpent, CloudflareError, NotFound
from dashboard.models import Account, Instance, Workflow, recording
from dashboard.sync.account import ensure_accounts
from dashboard.sync.reading import read_instance

FRESH_FOR = timedelta(seconds=2)
FAILURE_HOLDS_FOR = 5
#: Longer than any read may take with its repetitions; then somebody else may try.
READING_FOR = 60


@dataclass(frozen=True)
class Found:
    """What can be said. `instance`: its row, from this read or an earlier one. `failure`: why
    Cloudflare did not tell it now. `elsewhere`: instances of this id under other addresses.
    """

    instance: Instance | None = None
    failure: CloudflareError | None = None
    elsewhere: tuple[Instance, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Nobody asked Cloudflare: the request budget has nothing left for it now."""
        return isinstance(self.failure, BudgetSpent)

    @property
    def is_missing(self) -> bool:
        """Cloudflare answered: it has no such workflow or instance."""
        return isinstance(self.failure, NotFound)


def find_instance(
    client: Client | None, account_id: str, workflow_name: str, instance_id: str, *, now: datetime
) -> Found:
    """The instance of this address; `client` is None for an account that is not configured."""
    workflow = Workflow.objects.addressed(account_id, workflow_name).first()
    known = _known(account_id, workflow_name, instance_id)
    if client is None:
        return Found(known, None, () if known else _elsewhere(instance_id))
    if known and known.read_at and now - known.read_at < FRESH_FOR:
        return Found(known)
    key = _key(account_id, workflow_name, instance_id)
    failure: CloudflareError | None = cache.get(f"{key}:failure")
    if known and (failure or not cache.add(f"{key}:reading", 1, READING_FOR)):
        return Found(known, failure)
    try:
        workflow = workflow or _new_workflow(client, workflow_name, now)
        return Found(_with_workflow(read_instance(client, workflow, instance_id, now=now)))
    except CloudflareError as error:
        cache.set(f"{key}:failure", error, FAILURE_HOLDS_FOR)
        known = _known(account_id, workflow_name, instance_id)  # It may be marked as expired now.
        return Found(known, error, () if known else _elsewhere(instance_id))
    finally:
        cache.delete(f"{key}:reading")


def _known(account_id: str, workflow_name: str, instance_id: str) -> Instance | None:
    """The row of today's workflow of this name; else of one that was deleted and made again."""
    rows = Instance.objects.filter(instance_id=instance_id).with_workflow()
    workflows = Workflow.objects.addressed(account_id, workflow_name)
    by_workflow = {row.workflow_id: row for row in rows.filter(workflow__in=workflows)}
    return next((by_workflow[w.pk] for w in workflows if w.pk in by_workflow), None)


def _elsewhere(instance_id: str) -> tuple[Instance, ...]:
    rows = Instance.objects.filter(instance_id=instance_id).with_workflow().newest_first()
    return tuple(rows[:5])


def _new_workflow(client: Client, workflow_name: str, now: datetime) -> Workflow:
    """A workflow that has not been synced yet; raises NotFound when Cloudflare has none."""
    try:
        told = client.get_workflow(workflow_name)
    except NotFound as error:
        error.what = "workflow"
        raise
    account = Account.objects.filter(account_id=client.account_id).first()
    if account is None:
        [account] = ensure_accounts([(client.account_id, client.account_id)])
    return recording.record_workflow(account, told, now)


def _with_workflow(instance: Instance) -> Instance:
    """The row with its workflow and account, which every link of the page needs."""
    found = Instance.objects.with_workflow().get(pk=instance.pk)
    found.last_detail = instance.last_detail
    return found


def _key(*parts: str) -> str:
    """Ids may hold what a cache key must not."""
    return "instance:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()
