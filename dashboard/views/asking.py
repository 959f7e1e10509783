"""The forms in which people ask for an operation, and what becomes of a form that was sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET

from dashboard import connection, operations
from dashboard.cloudflare import Spender
from dashboard.cloudflare.targets import Target
from dashboard.evidence import NotKept
from dashboard.forms.creating import BatchForm, CreateForm
from dashboard.forms.operations import INSTANCE_FORMS, OperationForm
from dashboard.models import Instance, Operation, User, Workflow
from dashboard.models.operation import Kind
from dashboard.models.storing import storable
from dashboard.views.guards import access, may_operate, narrowed, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.preparing import chosen_before, prepared
from dashboard.views.starting import Start, start_of

#: What can be asked of one workflow or instance.
KINDS = {kind.value: kind for kind in (*INSTANCE_FORMS, Kind.CREATE)}
SENT_BEFORE = gettext_noop(
    "This form had been sent before, so nothing was sent again; this is what became "
    "of it. To ask for something else, open the form anew."
)


@dataclass(frozen=True)
class Subject:
    """What a form is about. `instance` is None only where new ones are created."""

    kind: Kind
    workflow: Workflow
    instance: Instance | None
    is_batch: bool

    @property
    def title(self) -> str:
        if self.instance is None:
            return _("Create a batch") if self.is_batch else _("Create an instance")
        return str(self.kind.label)

    @property
    def verb(self) -> str:
        """What the button of its form says."""
        return _("Read them") if self.is_batch else self.title

    @cached_property
    def target(self) -> Target | None:
        """What talks Workflows there; None for an account that is not configured any more."""
        try:
            return connection.account_setting(self.workflow.account.account_id).target
        except connection.UnknownAccount:
            return None

    @property
    def refusal(self) -> str:
        if self.instance is None:
            return operations.refusal_for_workflow(self.workflow)
        return operations.refusal(self.kind, self.instance)

    @property
    def back_url(self) -> str:
        return (self.instance or self.workflow).get_absolute_url()

    def form(
        self,
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        initial: dict[str, Any] | None = None,
    ) -> OperationForm:
        """Its form: filled in with `data` as it was sent, or with `initial` as a start."""
        if self.is_batch:
            return BatchForm(data, files, initial=initial)
        if self.instance is None:
            has_retention = self.target is None or self.target.has_instance_retention
            return CreateForm(data, initial=initial, has_retention=has_retention)
        options: dict[str, Any] = {}
        if self.kind is Kind.RESTART:
            options["detail"] = self.instance.last_detail
        return INSTANCE_FORMS[self.kind](data, initial=initial, **options)


@require_GET
@narrowed
@operator_required
def new_operation(request: HtmxHttpRequest) -> HttpResponse:
    """The form for one kind of operation, with what it will do in words."""
    subject = subject_of(request, request.GET)
    is_one = subject.kind is Kind.CREATE and not subject.is_batch
    start = start_of(subject.workflow, request.GET) if is_one else None
    initial = _initial(request.GET, subject) | ({"params": start.params} if start else {})
    return _render(request, subject, subject.form(initial=initial), start=start)


@operator_required
def ask(request: HtmxHttpRequest) -> HttpResponse:
    """Does what the form asks for; a form that cannot be goes back with every word that it held.

    With `preview` it goes back in any case, showing what it would do: without JavaScript nothing
    else can tell after another step was chosen.
    """
    subject = subject_of(request, request.POST)
    if "preview" in request.POST:
        return _render(request, subject, subject.form(initial=request.POST.dict()))
    form = subject.form(request.POST, request.FILES)
    if not form.is_valid():
        return _render(request, subject, form, status=422)
    if operations.refusal_for_workflow(subject.workflow):
        return _render(request, subject, form, status=409)
    began = timezone.now()
    try:
        operation = carry_out(subject, form, signed_in(request))
    except NotKept as cause:
        return _ask_again(request, subject, cause)
    if operation.requested_at < began:
        messages.warning(request, _(SENT_BEFORE))
        return redirect(operation)
    if subject.instance is not None:
        return redirect(f"{subject.instance.get_absolute_url()}#operations")
    return redirect(operation)


def _ask_again(request: HtmxHttpRequest, subject: Subject, cause: NotKept) -> HttpResponse:
    """The same form, as a new question: whether to restart although the evidence is lost."""
    data = request.POST.copy()
    data["key"] = str(uuid.uuid4())
    form = subject.form(data, initial={"without_evidence": True})
    text = _("Nothing was sent: the evidence that a restart erases could not be kept. %(cause)s")
    return _render(request, subject, form, status=409, cause=text % {"cause": cause})


def carry_out(subject: Subject, form: OperationForm, user: User) -> Operation:
    """Does what a valid form asks for, once; raises NotKept as `operations.perform` does."""
    workflow = subject.workflow
    wanted = operations.Wanted(
        kind=subject.kind,
        user=user,
        key=form.cleaned_data["key"],
        reason=form.cleaned_data["reason"],
        arguments=form.arguments(),
        seen_generation=form.cleaned_data.get("seen_generation"),
    )
    if isinstance(form, BatchForm):
        return operations.propose(workflow, form.rows(), wanted, clock=timezone.now)[0]
    client = connection.connect(workflow.account.account_id, spender=Spender.OPERATIONS)
    if isinstance(form, CreateForm):
        return operations.create(client, workflow, form.new_instance, wanted, clock=timezone.now)
    instance_id = form.cleaned_data["instance_id"]
    return operations.perform(client, workflow, instance_id, wanted, clock=timezone.now)


def _render(
    request: HtmxHttpRequest,
    subject: Subject,
    form: OperationForm,
    *,
    status: int = 200,
    start: Start | None = None,
    cause: str = "",
) -> HttpResponse:
    ctx = {
        "start": start,
        "start_without": f"?{_without_params(request.GET)}",
        "cause": cause,
        "form": form,
        "subject": subject,
        "is_dangerous": subject.kind in operations.DANGEROUS,
        "effects": operations.effects(subject.kind, subject.target, is_batch=subject.is_batch),
        "now": timezone.now(),
    }
    if subject.instance is not None:
        ctx |= prepared(subject.kind, subject.instance, form)
    return render_page(request, "operations/new.html", fragment="form", ctx=ctx, status=status)


def _without_params(query: QueryDict) -> str:
    """The address of the same form with no params in it."""
    empty = query.copy()
    empty["like"] = ""
    return empty.urlencode()


def _initial(query: QueryDict, subject: Subject) -> dict[str, Any]:
    initial: dict[str, Any] = {
        "kind": subject.kind.value,
        "key": uuid.uuid4(),
        "account_id": subject.workflow.account.account_id,
        "workflow_name": subject.workflow.name,
    }
    instance = subject.instance
    if instance is None:
        return initial
    initial |= {"instance_id": instance.instance_id, "seen_generation": instance.generation}
    return initial | chosen_before(subject.kind, instance, query)


def subject_of(request: HttpRequest, given: Mapping[str, Any]) -> Subject:
    """What the parameters name; a 404 that says which of them leads nowhere, and a 403 for what
    this reader may not act on."""
    kind = KINDS.get(given.get("kind", ""))
    if kind is None:
        text = given.get("kind", "")[:40]
        raise Http404(_("There is no operation called “%(kind)s”.") % {"kind": text})
    workflow = _workflow(request, given.get("account_id", ""), given.get("workflow_name", ""))
    may_operate(request, workflow)
    if kind is Kind.CREATE:
        return Subject(kind, workflow, None, is_batch="is_batch" in given)
    instance_id = given.get("instance_id", "")
    instance = (
        Instance.objects.with_workflow()
        .filter(workflow=workflow, instance_id=storable(instance_id))
        .first()
    )
    if instance is None:
        raise Http404(
            _("There is no instance “%(instance)s” in the local copy.")
            % {"instance": instance_id[:271]}
        )
    return Subject(kind, workflow, instance, is_batch=False)


def _workflow(request: HttpRequest, account_id: str, workflow_name: str) -> Workflow:
    found = Workflow.objects.addressed(storable(account_id), storable(workflow_name))
    workflow = found.select_related("account").first()
    if workflow is None or not access(request).sees(workflow):
        raise Http404(
            _("There is no workflow “%(workflow)s” in the local copy.")
            % {"workflow": workflow_name[:64]}
        )
    return workflow
