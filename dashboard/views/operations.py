"""What people did, and how it went; and the forms in which they ask for it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from dashboard import connection, operations
from dashboard.cloudflare import Spender, types
from dashboard.forms import operations as forms
from dashboard.models import Instance, Operation, Workflow
from dashboard.models.operation import Kind
from dashboard.views.guards import operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def operation_list(request: HtmxHttpRequest) -> HttpResponse:
    """Everything that was ever asked for, the latest first; a POST asks for something new."""
    if request.method == "POST":
        return _ask(request)
    found = Operation.objects.select_related("workflow__account", "requested_by").prefetch_related(
        "items"
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    ctx = {"page": page, "now": timezone.now()}
    return render_page(request, "operations/list.html", fragment="rows", ctx=ctx)


@require_GET
def operation_detail(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One operation, with what is known of each of its instances; live until all have settled."""
    operation = get_object_or_404(
        Operation.objects.select_related("workflow__account", "requested_by"), pk=pk
    )
    items = list(operation.items.all())
    ctx = {
        "operation": operation,
        "items": items,
        "arguments": json.dumps(operation.arguments, indent=2, ensure_ascii=False),
        "is_live": any(not item.is_settled for item in items),
        "now": timezone.now(),
    }
    return render_page(request, "operations/detail.html", fragment="outcome", ctx=ctx)


@require_GET
@operator_required
def new_operation(request: HtmxHttpRequest) -> HttpResponse:
    """The form for one kind of operation, with what it will do in words."""
    kind = _kind(request.GET.get("kind", ""))
    workflow = _workflow(request.GET.get("account_id", ""), request.GET.get("workflow_name", ""))
    instance = _instance(workflow, request.GET.get("instance_id", ""))
    if kind is not Kind.CREATE and instance is None:
        raise Http404("There is no such instance in the local copy.")
    form = _form(kind, instance, is_batch="is_batch" in request.GET)(
        initial=_initial(request, kind, workflow, instance), **_options(kind, instance)
    )
    return _render_form(request, form, kind, workflow, instance)


@operator_required
def _ask(request: HtmxHttpRequest) -> HttpResponse:
    kind = _kind(request.POST.get("kind", ""))
    workflow = _workflow(request.POST.get("account_id", ""), request.POST.get("workflow_name", ""))
    instance = _instance(workflow, request.POST.get("instance_id", ""))
    form = _form(kind, instance, is_batch="is_batch" in request.POST)(
        request.POST, **_options(kind, instance)
    )
    if not form.is_valid():
        return _render_form(request, form, kind, workflow, instance, status=422)
    operation = _carry_out(request, form, kind, workflow, instance)
    if instance is not None:
        return redirect(f"{instance.get_absolute_url()}#operations")
    return redirect(operation)


def _carry_out(
    request: HtmxHttpRequest,
    form: forms.OperationForm,
    kind: Kind,
    workflow: Workflow,
    instance: Instance | None,
) -> Operation:
    wanted = operations.Wanted(
        kind=kind,
        user=signed_in(request),
        key=form.cleaned_data["key"],
        reason=form.cleaned_data["reason"],
        arguments=form.arguments(),
        seen_generation=form.cleaned_data.get("seen_generation"),
    )
    client = connection.connect(workflow.account.account_id, spender=Spender.OPERATIONS)
    if isinstance(form, (forms.CreateForm, forms.BatchForm)):
        return operations.create(client, workflow, form.new_instances(), wanted, clock=timezone.now)
    if instance is None:
        raise Http404("There is no such instance in the local copy.")
    return operations.perform(client, workflow, instance.instance_id, wanted, clock=timezone.now)


def _render_form(
    request: HtmxHttpRequest,
    form: forms.OperationForm,
    kind: Kind,
    workflow: Workflow,
    instance: Instance | None,
    *,
    status: int = 200,
) -> HttpResponse:
    is_batch = isinstance(form, forms.BatchForm)
    ctx = {
        "form": form,
        "title": "Create a batch" if is_batch else kind.label,
        "is_batch": is_batch,
        "is_dangerous": kind in operations.DANGEROUS,
        "effects": operations.effects(kind),
        "workflow": workflow,
        "instance": instance,
        "refusal": operations.refusal(kind, instance) if instance else "",
        "back_url": (instance or workflow).get_absolute_url(),
        "now": timezone.now(),
    }
    return render_page(request, "operations/new.html", fragment="form", ctx=ctx, status=status)


def _form(kind: Kind, instance: Instance | None, *, is_batch: bool) -> type[forms.OperationForm]:
    return forms.BatchForm if kind is Kind.CREATE and is_batch else forms.FORMS[kind]


def _options(kind: Kind, instance: Instance | None) -> dict[str, Any]:
    if kind is not Kind.RESTART or instance is None:
        return {}
    detail = instance.last_detail
    return {"steps": detail.steps if detail else ()}


def _initial(
    request: HtmxHttpRequest, kind: Kind, workflow: Workflow, instance: Instance | None
) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "kind": kind,
        "key": uuid.uuid4(),
        "account_id": workflow.account.account_id,
        "workflow_name": workflow.name,
    }
    if instance is None:
        return initial
    initial |= {"instance_id": instance.instance_id, "seen_generation": instance.generation}
    if kind is Kind.SEND_EVENT:
        initial["event_type"] = request.GET.get("event_type", "") or _awaited(instance)
    if kind is Kind.RESTART:
        initial["restart_from"] = request.GET.get("restart_from", "")
    return initial


def _awaited(instance: Instance) -> str:
    """The event type that a step of the instance waits for, where Cloudflare says it."""
    detail = instance.last_detail
    waits = [
        step.event_type
        for step in (detail.steps if detail else ())
        if step.type is types.StepType.WAIT_FOR_EVENT and step.is_unfinished
    ]
    return waits[0] if waits else ""


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise Http404(f"There is no operation called “{text[:40]}”.") from None


def _workflow(account_id: str, workflow_name: str) -> Workflow:
    found = Workflow.objects.addressed(account_id, workflow_name).select_related("account").first()
    if found is None:
        raise Http404(f"There is no workflow “{workflow_name[:64]}” in the local copy.")
    return found


def _instance(workflow: Workflow, instance_id: str) -> Instance | None:
    return (
        Instance.objects.with_workflow().filter(workflow=workflow, instance_id=instance_id).first()
    )
