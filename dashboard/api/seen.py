"""What somebody may see: every endpoint begins with one of these."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from dashboard.models import (
    Account,
    AlertIncident,
    ErrorGroup,
    Instance,
    Operation,
    User,
    Workflow,
    access_of,
)
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.storing import storable
from dashboard.models.workflow import WorkflowQuerySet


def accounts(user: User) -> QuerySet[Account]:
    known = access_of(user).accounts
    seen = Q() if known is None else Q(account_id__in=known)
    return Account.objects.filter(seen).order_by("name", "pk")


def workflows(user: User) -> WorkflowQuerySet:
    return Workflow.objects.choosable().filter(access_of(user).seen("pk"))


def workflow(user: User, account_id: str, name: str) -> Workflow | None:
    """Today's workflow of this name, or the last that had it."""
    return workflows(user).addressed(storable(account_id), storable(name)).first()


def instances(user: User) -> InstanceQuerySet:
    return Instance.objects.filter(access_of(user).seen())


def operations(user: User) -> QuerySet[Operation]:
    found = Operation.objects.seen_by(access_of(user))
    return found.select_related("workflow__account", "requested_by")


def groups(user: User) -> QuerySet[ErrorGroup]:
    return ErrorGroup.objects.described().filter(access_of(user).seen())


def incidents(user: User) -> QuerySet[AlertIncident]:
    return AlertIncident.objects.described().filter(access_of(user).seen())
