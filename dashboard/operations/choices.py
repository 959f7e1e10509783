"""Which actions a page offers for an instance, to whom, and why not the others."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard import connection
from dashboard.models import Instance, Item, Operation, User, Workflow, access_of
from dashboard.models.operation import Kind
from dashboard.operations import allowed

#: These are undone with one click of the other, so they need no confirmation.
DIRECT = frozenset({Kind.PAUSE, Kind.RESUME})
KEYS = uuid.UUID("5f0f8c1e-6a35-4a6e-9a0e-8d4d1b7c2f10")
#: These lose something that cannot be brought back.
DANGEROUS = frozenset({Kind.TERMINATE, Kind.RESTART, Kind.DELETE})
INSTANCE_KINDS = (Kind.PAUSE, Kind.RESUME, Kind.SEND_EVENT, Kind.RESTART, Kind.TERMINATE)


@dataclass(frozen=True)
class Choice:
    """One button: `refusal` says why it is disabled, "" when it is not. `url` asks for the rest.

    `key` names what a click on it asks for. It stays the same until something was asked of the
    instance, so that a double click, or a click on two tabs of one page, is one operation.
    """

    kind: Kind
    refusal: str
    url: str
    key: uuid.UUID

    @property
    def label(self) -> str:
        return str(self.kind.label)

    @property
    def is_direct(self) -> bool:
        return self.kind in DIRECT

    @property
    def is_dangerous(self) -> bool:
        return self.kind in DANGEROUS


def refusal_for_user(user: User, workflow: Workflow | None = None) -> str:
    """Why this user cannot act on instances of this workflow, or of any at all; "" when they
    can."""
    if settings.READ_ONLY:
        return _("This dashboard is read-only (READ_ONLY is set).")
    if user.token and not user.token.may_operate:
        return _("The token %(token)s has the scope read; acting on instances takes operate.") % {
            "token": user.token
        }
    access = access_of(user)
    if workflow is None:
        role, can_operate = access.everywhere, access.operates
    else:
        role, can_operate = access.role_for(workflow), access.can_operate(workflow)
    if can_operate:
        return ""
    if workflow and access.operates:
        text = _(
            "Your role is %(role)s for %(workflow)s; acting on instances takes the role operator."
        )
        return text % {"role": role, "workflow": workflow.name}
    return _("Your role is %(role)s; acting on instances takes the role operator.") % {"role": role}


def refusal_for_operation(user: User, operation: Operation) -> str:
    """Why this user can neither steer this operation on many nor repeat it: it takes the right to
    act on each of its instances that something is, or was, sent to."""
    if (why_not := refusal_for_user(user)) or access_of(user).operates_all:
        return why_not
    keys = operation.items.exclude(wave=0).order_by().values("workflow").distinct()
    workflows = Workflow.objects.filter(pk__in=keys).select_related("account")
    return next(filter(None, (refusal_for_user(user, one) for one in workflows)), "")


def refusal_for_workflow(workflow: Workflow) -> str:
    """Why nothing at all can be asked of this workflow and its instances; "" when it can."""
    account = workflow.account
    if account.account_id not in connection.configured_accounts():
        return _(
            "This dashboard no longer watches account %(account)s, so nothing can be asked of it."
        ) % {"account": account.name}
    if workflow.gone_at:
        return _("Cloudflare no longer has this workflow.")
    return ""


def refusal(kind: Kind, instance: Instance) -> str:
    """Why this cannot be asked of the instance as it was last seen; "" when it can."""
    return refusal_for_workflow(instance.workflow) or allowed.refusal(
        kind, instance.status, is_expired=instance.expired_at is not None
    )


def choices(instance: Instance, user: User) -> list[Choice]:
    """Every action on an instance, each with why it cannot be asked for."""
    for_user = refusal_for_user(user, instance.workflow)
    latest = Item.objects.of_instance(instance.workflow, instance.instance_id).first()
    workflow = instance.workflow
    is_expired = instance.expired_at is not None
    for_all = for_user or refusal_for_workflow(workflow)
    return [
        Choice(
            kind,
            for_all or allowed.refusal(kind, instance.status, is_expired=is_expired),
            f"{reverse('new-operation')}?{urlencode(form_query(kind, instance))}",
            uuid.uuid5(KEYS, f"{instance.pk} {latest and latest.pk} {user.pk} {kind.value}"),
        )
        for kind in INSTANCE_KINDS
    ]


def form_query(kind: Kind, instance: Instance) -> dict[str, str]:
    """What the address of a form that asks for this of the instance holds."""
    return {
        "kind": kind.value,
        "account_id": instance.workflow.account.account_id,
        "workflow_name": instance.workflow.name,
        "instance_id": instance.instance_id,
    }
