"""What somebody may see: every endpoint begins with one of these."""

from __future__ import annotations

from django.db.models import QuerySet

from dashboard.models import Account, AlertIncident, ErrorGroup, Instance, Operation, User, Workflow
from dashboard.models.instance import InstanceQuerySet
from dashboard.models.storing import storable


def accounts(user: User) -> QuerySet[Account]:
    return Account.objects.order_by("name", "pk")


def workflows(user: User) -> QuerySet[Workflow]:
    return Workflow.objects.choosable()


def workflow(user: User, account_id: str, name: str) -> Workflow | None:
    """Today's workflow of this name, or the last that had it."""
    found = workflows(user) & Workflow.objects.addressed(storable(account_id), storable(name))
    return found.first()


def instances(user: User) -> InstanceQuerySet:
    return Instance.objects.all()


def operations(user: User) -> QuerySet[Operation]:
    return Operation.objects.select_related("workflow__account", "requested_by")


def groups(user: User) -> QuerySet[ErrorGroup]:
    return ErrorGroup.objects.described()


def incidents(user: User) -> QuerySet[AlertIncident]:
    return AlertIncident.objects.described()
