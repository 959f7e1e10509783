"""The instance behind a permalink: as Cloudflare tells it, or else as it was last known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboard.cloudflare import Client
from dashboard.cloudflare.errors import CloudflareError, NotFound
from dashboard.models import Account, Instance, Look, Workflow, recording
from dashboard.sync import watching
from dashboard.sync.account import ensure_accounts
from dashboard.sync.reading import read_instance


@dataclass(frozen=True)
class Found:
    """What can be said. `instance`: its row, and `look` how current that is; None for an account
    that is not configured. `error`: why nothing is known of it. `was_read`: Cloudflare has just
    been asked. `elsewhere`: instances of this id under other addresses.
    """

    instance: Instance | None = None
    look: Look | None = None
    error: CloudflareError | None = None
    was_read: bool = False
    elsewhere: tuple[Instance, ...] = ()

    @property
    def failure(self) -> str:
        """Why Cloudflare did not tell it now, in a sentence; "" when it did."""
        if self.error is not None:
            return str(self.error)
        return self.look.words if self.look else ""

    @property
    def is_waiting(self) -> bool:
        """Nobody asked Cloudflare: the request budget has nothing left for it now."""
        return self.look is not None and self.look.trouble == Look.Trouble.WAITING

    @property
    def is_missing(self) -> bool:
        """Cloudflare answered: it has no such workflow or instance."""
        if self.look is not None:
            return self.look.trouble == Look.Trouble.MISSING
        return isinstance(self.error, NotFound)


def find_instance(
    client: Client | None, account_id: str, workflow_name: str, instance_id: str, *, now: datetime
) -> Found:
    """The instance of this address; `client` is None for an account that is not configured."""
    known = _known(account_id, workflow_name, instance_id)
    if client is None:
        return Found(known, elsewhere=() if known else _elsewhere(instance_id))
    if known:
        look, read = watching.look_at(client, known, now=now)
        # It may be marked as expired now.
        known = _with_workflow(read) if read else _known(account_id, workflow_name, instance_id)
        return Found(known, look, was_read=read is not None)
    try:
        workflow = Workflow.objects.addressed(account_id, workflow_name).first()
        workflow = workflow or _new_workflow(client, workflow_name, now)
        read = read_instance(client, workflow, instance_id, now=now)
    except CloudflareError as error:
        return Found(error=error, elsewhere=_elsewhere(instance_id))
    look, _ = Look.objects.get_or_create(instance=read)
    return Found(_with_workflow(read), look, was_read=True)


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
    if "last_detail" in instance.__dict__:
        found.last_detail = instance.last_detail
    return found
