"""Accounts and their workflows."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from dashboard import connection
from dashboard.api import seen
from dashboard.api.identity import asking
from dashboard.api.shapes import answers, base_of
from dashboard.models import Account, Workflow, access_of
from dashboard.models.storing import storable
from dashboard.views.frame import UNTOLD_ERROR
from dashboard.views.workflow_rows import WorkflowRow, rows_of

router = Router(tags=["Workflows"])


class AccountTold(Schema):
    """A Cloudflare account that is, or was, watched."""

    account_id: str
    name: str
    is_configured: bool
    synced_at: datetime | None
    sync_error: str

    @classmethod
    def of(cls, account: Account, *, tells_all: bool) -> AccountTold:
        return cls(
            account_id=account.account_id,
            name=account.name,
            is_configured=account.account_id in connection.configured_accounts(),
            synced_at=account.synced_at,
            sync_error=account.sync_error if tells_all else account.sync_error and UNTOLD_ERROR,
        )


class Accounts(Schema):
    as_of: datetime
    accounts: list[AccountTold]


class WorkflowTold(Schema):
    """A workflow, with how many instances it has of each status."""

    account_id: str
    account: str
    name: str
    class_name: str
    script_name: str
    counts: dict[str, int]
    counts_are_of_cloudflare: bool = Field(
        description="False: of the instances that are kept here."
    )
    counted_at: datetime | None = Field(description="When Cloudflare told its counts.")
    created_on: datetime | None
    triggered_on: datetime | None
    gone_at: datetime | None = Field(description="Since when Cloudflare no longer has it.")
    href: str

    @classmethod
    def of(cls, row: WorkflowRow[Workflow], base: str) -> WorkflowTold:
        workflow = row.workflow
        return cls(
            account_id=workflow.account.account_id,
            account=workflow.account.name,
            name=workflow.name,
            class_name=workflow.class_name,
            script_name=workflow.script_name,
            counts=row.numbers,
            counts_are_of_cloudflare=row.is_counted_by_cloudflare,
            counted_at=workflow.counted_at,
            created_on=workflow.created_on,
            triggered_on=workflow.triggered_on,
            gone_at=workflow.gone_at,
            href=base + workflow.get_absolute_url(),
        )


class Workflows(Schema):
    as_of: datetime
    workflows: list[WorkflowTold]


@router.get("/accounts", response=answers(Accounts))
def list_accounts(request: HttpRequest) -> Accounts:
    """The accounts, by name."""
    user = asking(request)
    tells_all = access_of(user).sees_all
    told = [AccountTold.of(one, tells_all=tells_all) for one in seen.accounts(user)]
    return Accounts(as_of=timezone.now(), accounts=told)


@router.get("/accounts/{account_id}/workflows", response=answers(Workflows, 404))
def list_workflows(request: HttpRequest, account_id: str) -> Workflows:
    """The workflows of an account, by name, with those that are gone."""
    found = seen.workflows(asking(request)).filter(account__account_id=storable(account_id))
    if not seen.accounts(asking(request)).filter(account_id=storable(account_id)).exists():
        raise Http404(f"No account {account_id[:64]} is watched here.")
    base = base_of(request)
    told = [WorkflowTold.of(row, base) for row in rows_of(found)]
    return Workflows(as_of=timezone.now(), workflows=told)


@router.get("/accounts/{account_id}/workflows/{workflow_name}", response=answers(WorkflowTold, 404))
def get_workflow(request: HttpRequest, account_id: str, workflow_name: str) -> WorkflowTold:
    """One workflow."""
    found = existing(request, account_id, workflow_name)
    return WorkflowTold.of(rows_of([found])[0], base_of(request))


def existing(request: HttpRequest, account_id: str, workflow_name: str) -> Workflow:
    """The workflow of this address; raises Http404."""
    found = seen.workflow(asking(request), account_id, workflow_name)
    if found is None:
        raise Http404(f"There is no workflow “{workflow_name[:64]}” in the local copy.")
    return found
