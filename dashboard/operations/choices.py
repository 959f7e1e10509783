"""Which actions a page offers for an instance, to whom, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from dashboard.models import Instance, User
from dashboard.models.operation import Kind
from dashboard.operations import allowed

#: These are undone with one click of the other, so they need no confirmation.
DIRECT = frozenset({Kind.PAUSE, Kind.RESUME})
INSTANCE_KINDS = (Kind.PAUSE, Kind.RESUME, Kind.SEND_EVENT, Kind.RESTART, Kind.TERMINATE)


@dataclass(frozen=True)
class Choice:
    """One button: `refusal` says why it is disabled, "" when it is not. `url` asks for the rest."""

    kind: Kind
    refusal: str
    url: str

    @property
    def label(self) -> str:
        return str(self.kind.label)

    @property
    def is_direct(self) -> bool:
        return self.kind in DIRECT

    @property
    def is_dangerous(self) -> bool:
        return self.kind in {Kind.TERMINATE, Kind.RESTART}


def refusal_for_user(user: User) -> str:
    """Why this user cannot act at all; "" when they can."""
    if settings.READ_ONLY:
        return "This dashboard is read-only (READ_ONLY is set)."
    if not user.can_operate:
        return f"Your role is {user.role}; acting on instances takes the role operator."
    return ""


def refusal(kind: Kind, instance: Instance) -> str:
    """Why this cannot be asked of the instance as it was last seen; "" when it can."""
    return allowed.refusal(kind, instance.status, is_expired=instance.expired_at is not None)


def choices(instance: Instance, user: User) -> list[Choice]:
    """Every action on an instance, each with why it cannot be asked for."""
    for_user = refusal_for_user(user)
    workflow = instance.workflow
    query = {
        "account_id": workflow.account.account_id,
        "workflow_name": workflow.name,
        "instance_id": instance.instance_id,
    }
    return [
        Choice(
            kind,
            for_user or refusal(kind, instance),
            f"{reverse('new-operation')}?{urlencode({'kind': kind.value} | query)}",
        )
        for kind in INSTANCE_KINDS
    ]
