"""Rows for tests of pages: plain functions, with a plausible value for whatever is not said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dashboard.models import Account, Instance, Version, Workflow, tallies

#: A moment long enough ago that no test depends on when it runs.
THEN = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)

#: What somebody would write into an id, name or error to get a script run.
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def account(account_id: str = "acc1", **facts: Any) -> Account:
    found, _ = Account.objects.get_or_create(
        account_id=account_id, defaults={"name": f"name-of-{account_id}", **facts}
    )
    return found


def workflow(name: str = "orders", *, of: Account | None = None, **facts: Any) -> Workflow:
    found, _ = Workflow.objects.get_or_create(
        account=of or account(), name=name, defaults={"first_seen_at": THEN, **facts}
    )
    return found


def version(version_id: str, *, of: Workflow | None = None, **facts: Any) -> Version:
    return Version.objects.create(
        workflow=of or workflow(), version_id=version_id, **{"synced_at": THEN, **facts}
    )


def instance(
    instance_id: str = "one", status: str = "running", *, of: Workflow | None = None, **facts: Any
) -> Instance:
    defaults = {"created_on": THEN, "seen_at": THEN, "status_seen_at": THEN}
    row = Instance.objects.create(
        workflow=of or workflow(), instance_id=instance_id, status=status, **(defaults | facts)
    )
    tallies.add(tallies.Moves([tallies.place(row)]))
    return row


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)
