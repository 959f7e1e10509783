"""What people did, and how it went."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard import operations
from dashboard.forms.audit import AuditForm
from dashboard.models import Operation
from dashboard.models.operation import Kind, Stage
from dashboard.views.asking import ask
from dashboard.views.guards import access, narrowed, operator_required, signed_in
from dashboard.views.links import Links
from dashboard.views.operation_rows import counted
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.progress import Progress
from dashboard.views.proposal import Proposal

PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@narrowed
def operation_list(request: HtmxHttpRequest) -> HttpResponse:
    """Everything that was ever asked for, the latest first; a POST asks for something new."""
    if request.method == "POST":
        return ask(request)
    form, links = AuditForm(request.GET, access(request)), Links(request)
    if any("" in request.GET.getlist(name) for name in form.fields):
        return redirect(links.tidy)
    found = Operation.objects.seen_by(access(request)).filter(form.condition)
    page = Paginator(found.select_related("workflow__account", "requested_by"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    page.object_list = counted(list(page.object_list))
    query = request.GET.copy()
    query.pop("page", None)
    ctx = {"page": page, "form": form, "query": query.urlencode(), "now": timezone.now()}
    status = 200 if form.is_valid() else 400
    return render_page(request, "operations/list.html", fragment="rows", ctx=ctx, status=status)


@require_GET
@narrowed
def operation_detail(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One operation, with what is known of each of its instances; live until all have settled."""
    found = Operation.objects.seen_by(access(request))
    found = found.select_related("workflow__account", "requested_by")
    operation, now = get_object_or_404(found, pk=pk), timezone.now()
    why_not = operations.refusal_for_operation(signed_in(request), operation)
    ctx = {"operation": operation, "why_not": why_not, "now": now}
    if operation.is_bulk:
        ctx["progress"] = Progress(operation, request.GET, now)
        ctx["proposal"] = Proposal.of(operation)
        return render_page(request, "operations/progress.html", fragment="progress", ctx=ctx)
    ctx["items"] = operation.items.select_related("workflow__account")
    return render_page(request, "operations/detail.html", fragment="outcome", ctx=ctx)


@require_POST
@narrowed
@operator_required
def operation_steer(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Pauses, resumes or stops an operation on many."""
    found = Operation.objects.seen_by(access(request))
    operation = get_object_or_404(found, pk=pk, is_bulk=True)
    _may_steer(request, operation)
    wanted = request.POST.get("stage", "")
    if wanted not in {Stage.RUNNING, Stage.PAUSED, Stage.STOPPED}:
        raise Http404(
            _("Nobody can bring an operation into the stage “%(stage)s”.") % {"stage": wanted[:20]}
        )
    if not operations.steer(operation, Stage(wanted), signed_in(request), now=timezone.now()):
        operation.refresh_from_db(fields=["stage"])
        words = operation.get_stage_display().lower()
        messages.warning(
            request,
            _("Nothing was changed: this operation is %(stage)s by now.") % {"stage": words},
        )
    return redirect(operation)


@require_POST
@narrowed
@operator_required
def operation_again(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Proposes the new instances that failed once more, under the same ids."""
    found = Operation.objects.seen_by(access(request)).select_related("workflow__account")
    failed = get_object_or_404(found, pk=pk, is_bulk=True, kind=Kind.CREATE)
    _may_steer(request, failed)
    return redirect(operations.propose_failed(failed, signed_in(request), clock=timezone.now))


def _may_steer(request: HtmxHttpRequest, operation: Operation) -> None:
    if why_not := operations.refusal_for_operation(signed_in(request), operation):
        raise PermissionDenied(why_not)
