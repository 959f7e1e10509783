"""What people and scripts asked for, what became of it, and steering it."""

from __future__ import annotations

import uuid
from typing import Annotated

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from ninja import Query, Router

from dashboard import operations
from dashboard.api import seen
from dashboard.api.failures import Misfit, Refused
from dashboard.api.identity import Expensive, acting, asking
from dashboard.api.operation_shapes import (
    Items,
    ItemTold,
    OneOperation,
    Operations,
    OperationTold,
    StageTold,
    Steer,
)
from dashboard.api.shapes import PageNumber, answers, base_of
from dashboard.forms.audit import AuditForm
from dashboard.models import Item, Operation, User, access_of
from dashboard.models.operation import Stage, State
from dashboard.models.storing import LARGEST
from dashboard.views.operation_rows import counted

router = Router(tags=["Operations"])


@router.get("/operations", response=answers(Operations))
def list_operations(
    request: HttpRequest,
    *,
    by: str = "",
    kind: str = "",
    workflow: Annotated[str, Query(description="Its account's id, a slash, and its name.")] = "",
    state: Annotated[str, Query(description="Some ended as this.")] = "",
    instance: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    to: str = "",
    page: PageNumber = 1,
) -> Operations:
    """Everything that was ever asked for, the latest first."""
    told = {"by": by, "kind": kind, "workflow": workflow, "state": state, "instance": instance}
    user, given = asking(request), QueryDict(mutable=True)
    given.update(told | {"from": since, "to": to})
    form = AuditForm(given, access_of(user))
    if not form.is_valid():
        raise Misfit.of(form)
    shown, facts = Operations.facts(seen.operations(user).filter(form.condition), page)
    base = base_of(request)
    return Operations(operations=[OperationTold.of(one, base) for one in counted(shown)], **facts)


@router.get("/operations/{uuid:pk}", response=answers(OneOperation, 404))
def get_operation(request: HttpRequest, pk: uuid.UUID) -> OneOperation:
    """One operation; ask again while it `is_live`."""
    return told(existing(asking(request), pk), base_of(request))


@router.get("/operations/{uuid:pk}/items", response=answers(Items, 404))
def list_items(
    request: HttpRequest,
    pk: uuid.UUID,
    *,
    state: str = "",
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Items:
    """What became of it on each instance, in the order of sending."""
    if state and state not in State.values:
        raise Misfit(mistakes=[("state", f"“{state[:40]}” is none of {', '.join(State.values)}.")])
    found = _items(existing(asking(request), pk)).filter(pk__gt=after)
    if state:
        found = found.filter(state=state)
    rows = list(found[: limit + 1])
    base = base_of(request)
    following = str(rows[limit - 1].pk) if len(rows) > limit else ""
    return Items(items=[ItemTold.of(row, base) for row in rows[:limit]], next=following)


@router.post(
    "/operations/{uuid:pk}/steer", response=answers(OneOperation, 404, 409), throttle=[Expensive()]
)
def steer(request: HttpRequest, pk: uuid.UUID, wanted: Steer) -> OneOperation:
    """Begins a batch, pauses, resumes or stops an operation on many."""
    user = acting(request)
    operation = existing(user, pk)
    if why_not := operations.refusal_for_operation(user, operation):
        raise PermissionDenied(why_not)
    is_many = operation.is_bulk
    if not is_many or not operations.steer(
        operation, Stage(wanted.stage), user, now=timezone.now()
    ):
        operation.refresh_from_db(fields=["stage"])
        words = operation.get_stage_display().lower()
        raise Refused(f"Nothing was changed: this operation is {words} by now.")
    return told(existing(user, pk), base_of(request))


def existing(user: User, pk: uuid.UUID) -> Operation:
    """The operation; raises Http404."""
    found = seen.operations(user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such operation.")
    return found


def told(operation: Operation, base: str, *, is_repeat: bool = False) -> OneOperation:
    """All that is known of it now."""
    alone = None if operation.is_bulk else _items(operation).first()
    return OneOperation(
        **OperationTold.facts(operation, base),
        as_of=timezone.now(),
        is_repeat=is_repeat,
        stages=[StageTold.of(one) for one in operation.changes.select_related("changed_by")],
        item=ItemTold.of(alone, base) if alone else None,
    )


def _items(operation: Operation) -> QuerySet[Item]:
    return operation.items.order_by("pk").select_related("workflow__account")
