"""Asking for something: on one instance, on many, or for new ones. Each key is asked once."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from ninja import Header, Router

from dashboard import operations
from dashboard.api.failures import Misfit, Refused
from dashboard.api.identity import Expensive, acting
from dashboard.api.operation_shapes import (
    AskBatch,
    AskMany,
    AskNew,
    AskOne,
    Chosen,
    OneOperation,
    PlanTold,
)
from dashboard.api.operations import existing, told
from dashboard.api.shapes import answers, base_of
from dashboard.evidence import NotKept
from dashboard.forms.operations import OperationForm
from dashboard.forms.selection import Selection, read_selection
from dashboard.models import Operation, User, access_of
from dashboard.models.operation import Kind
from dashboard.models.storing import storable
from dashboard.views.asking import carry_out, subject_of
from dashboard.views.bulk import Preview

router = Router(tags=["Acting"])

#: One user's keys are not another's.
KEYS = uuid.UUID("0a3c9a3e-44b1-4c0e-8a8e-0d6f3f8f5a31")
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Your own: the same again sends nothing, and tells what became of it.",
    ),
]
#: By the form's name of a field, the API's.
NAMES = {"new_id": "id", "restart_from": "restart_from_step", "batch": "instances"}


@router.post("/operations/single", response=answers(OneOperation, 404, 409), throttle=[Expensive()])
def act_on_one(request: HttpRequest, asked: AskOne, key: Key) -> OneOperation:
    """One action on one instance, once; answered when Cloudflare did, with what was seen then."""
    user = acting(request)
    given = asked.dict(exclude_none=True)
    restart_from = given.pop("restart_from_step", None)
    given["restart_from"] = "" if restart_from is None else str(restart_from)
    given["payload"] = _text(asked.payload)
    return _ask(request, user, given, asked.kind, key)


@router.post(
    "/accounts/{account_id}/workflows/{workflow_name}/instances",
    response=answers(OneOperation, 404, 409),
    throttle=[Expensive()],
)
def create_instance(
    request: HttpRequest, account_id: str, workflow_name: str, asked: AskNew, key: Key
) -> OneOperation:
    """Creates one instance, once."""
    given = asked.dict(exclude_none=True, exclude={"id", "params"})
    given |= {"account_id": account_id, "workflow_name": workflow_name}
    given |= {"new_id": asked.id, "params": _text(asked.params)}
    return _ask(request, acting(request), given, Kind.CREATE, key)


@router.post(
    "/accounts/{account_id}/workflows/{workflow_name}/batches",
    response=answers(OneOperation, 404, 409),
    throttle=[Expensive()],
)
def propose_batch(
    request: HttpRequest, account_id: str, workflow_name: str, asked: AskBatch, key: Key
) -> OneOperation:
    """Writes down many new instances and sends nothing: steer it to `running` once it is right."""
    given = {"account_id": account_id, "workflow_name": workflow_name, "reason": asked.reason}
    given |= {"is_batch": "1", "batch": json.dumps(asked.instances)}
    return _ask(request, acting(request), given, Kind.CREATE, key)


@router.post("/operations/preview", response=answers(PlanTold, 404), throttle=[Expensive()])
def preview(request: HttpRequest, asked: Chosen) -> PlanTold:
    """What an operation on many would do. Nothing is written down, and Cloudflare is not asked."""
    return planned(acting(request), asked, base_of(request))


@router.post("/operations/bulk", response=answers(OneOperation, 404, 409), throttle=[Expensive()])
def act_on_many(request: HttpRequest, asked: AskMany, key: Key) -> OneOperation:
    """Begins an operation on many, once; it goes on by itself, in waves."""
    return begin(acting(request), asked, key, base_of(request))


def planned(user: User, asked: Chosen, base: str) -> PlanTold:
    """What would become of what is chosen; raises Misfit, or ValidationError."""
    selection = _selection(user, asked)
    preview = Preview(_given(asked), selection, user)
    return PlanTold.of(preview.plan, preview.newest, base)


def begin(user: User, asked: AskMany, key: str, base: str) -> OneOperation:
    """Begins it, unless this key did before; raises Misfit, ValidationError, and Refused where it
    is not what was expected."""
    own_key = _own(user, key)
    if before := _sent_before(user, own_key, asked.kind, asked.reason):
        return told(before, base, is_repeat=True)
    selection, given = _selection(user, asked), _given(asked)
    given.update({"confirm": "1", "key": str(own_key)})
    found = Preview(given, selection, user)
    if why_not := found.plan.why_not:
        raise Refused(why_not)
    if found.plan.acted_on != asked.expected_count:
        number, expected = found.plan.acted_on, asked.expected_count
        raise Refused(f"It would be sent to {number:,} instances now, not to {expected:,}.")
    if not found.form.is_valid():
        raise Misfit.of(found.form, **NAMES)
    operation, is_new = operations.begin(
        selection.instances, found.wanted, found.terms(), now=timezone.now()
    )
    return told(existing(user, operation.pk), base, is_repeat=not is_new)


def _ask(
    request: HttpRequest, user: User, given: dict[str, Any], kind: str, key: str
) -> OneOperation:
    """What the form of the page does with the same; raises Misfit, Refused and Http404."""
    base, own_key = base_of(request), _own(user, key)
    if before := _sent_before(user, own_key, kind, given["reason"]):
        return told(before, base, is_repeat=True)
    given = given | {"kind": kind, "key": str(own_key)}
    subject = subject_of(request, given)
    form = subject.form(given)
    if kind == Kind.CREATE:
        _refuse_useless(given, form)
    if not form.is_valid():
        raise Misfit.of(form, **NAMES)
    if why_not := operations.refusal_for_workflow(subject.workflow):
        raise Refused(why_not)
    began = timezone.now()
    try:
        operation = carry_out(subject, form, user)
    except NotKept as cause:
        raise Refused(
            f"Nothing was sent: the evidence that a restart erases could not be kept. {cause} "
            "With `without_evidence` and another key it is restarted all the same."
        ) from cause
    is_repeat = operation.requested_at < began
    return told(existing(user, operation.pk), base, is_repeat=is_repeat)


def _refuse_useless(given: dict[str, Any], form: OperationForm) -> None:
    """Raises Misfit for what the form has no field for: not every target takes all of it."""
    names = ("success_retention", "error_retention", "location_hint")
    useless = [name for name in names if given.get(name) and name not in form.fields]
    if useless:
        raise Misfit(mistakes=[(name, "This target lets nobody choose it.") for name in useless])


def _sent_before(user: User, key: uuid.UUID, kind: str, reason: str) -> Operation | None:
    """What became of this key; raises Refused where it was used for something else."""
    found = Operation.objects.filter(key=key).first()
    if found is None:
        return None
    if (found.kind, found.reason) != (kind, storable(reason.strip())):
        raise Refused("This Idempotency-Key was used for something else; nothing was sent.")
    return existing(user, found.pk)


def _own(user: User, key: str) -> uuid.UUID:
    return uuid.uuid5(KEYS, f"{user.pk} {key}")


def _selection(user: User, asked: Chosen) -> Selection:
    """What is chosen; raises Misfit."""
    if bool(asked.q.strip()) == bool(asked.retry_of):
        raise Misfit(mistakes=[("q", "Say which: a search in `q`, or an operation in `retry_of`.")])
    given = QueryDict(mutable=True)
    if asked.retry_of:
        given["retry_of"] = str(asked.retry_of)
    else:
        query = QueryDict(mutable=True)
        query["q"] = asked.q
        given.update({"matching": "1", "list": query.urlencode()})
    if asked.newest is not None:
        given["newest"] = str(asked.newest)
    return read_selection(given, access_of(user), now=timezone.now())


def _given(asked: Chosen) -> QueryDict:
    """What the page's form would send."""
    given = QueryDict(mutable=True)
    fields = asked.dict(exclude_none=True, exclude={"q", "newest", "retry_of", "payload"})
    expected = fields.pop("expected_count", None)
    fields["waves"] = ", ".join(map(str, fields.get("waves", operations.WAVES)))
    fields.setdefault("stop_above", operations.STOP_ABOVE)
    given.update({name: str(value) for name, value in fields.items() if value not in (False, "")})
    given["payload"] = _text(asked.payload)
    given["typed"] = str(expected or "")
    return given


def _text(value: Any) -> str:
    """As somebody would type it; "" for nothing."""
    return "" if value is None else json.dumps(value)
