"""Which steps of a workflow act outside it: said once by the team, shown before each restart."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import operations
from dashboard.forms.marks import MarkForm
from dashboard.models import Mark, Workflow
from dashboard.models.storing import word
from dashboard.views.guards import may_operate, operator_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page


@require_http_methods(["GET", "HEAD", "POST"])
def mark_list(request: HtmxHttpRequest, account_id: str, workflow_name: str) -> HttpResponse:
    """The marks of a workflow; a POST sets one."""
    workflow = _workflow(account_id, workflow_name)
    if request.method == "POST":
        return set_mark(request, workflow)
    step_name = word(request.GET.get("step", ""))
    known = Mark.objects.of(workflow).filter(step_name=step_name).first()
    initial = {"step_name": step_name} | (
        {"kind": known.kind, "words": known.words} if known else {}
    )
    return _render(request, workflow, MarkForm(initial=initial))


@operator_required
def set_mark(request: HtmxHttpRequest, workflow: Workflow) -> HttpResponse:
    """Sets a mark, or changes the one that the step has."""
    may_operate(request, workflow)
    form = MarkForm(request.POST)
    if not form.is_valid():
        return _render(request, workflow, form, status=422)
    step_name = form.cleaned_data.pop("step_name")
    Mark.objects.update_or_create(
        account=workflow.account,
        workflow_name=workflow.name,
        step_name=step_name,
        defaults=form.cleaned_data | {"set_by": signed_in(request), "set_at": timezone.now()},
    )
    messages.success(
        request, _("“%(step)s” is marked; the form of each restart says so.") % {"step": step_name}
    )
    return redirect("marks", workflow.account.account_id, workflow.name)


@require_POST
@operator_required
def remove_mark(request: HtmxHttpRequest, account_id: str, workflow_name: str) -> HttpResponse:
    """Takes a mark away; a second click finds none, and that is as good."""
    workflow = _workflow(account_id, workflow_name)
    may_operate(request, workflow)
    Mark.objects.of(workflow).filter(step_name=word(request.POST.get("step", ""))).delete()
    messages.success(request, _("The mark is removed."))
    return redirect("marks", account_id, workflow_name)


def _render(
    request: HtmxHttpRequest, workflow: Workflow, form: MarkForm, *, status: int = 200
) -> HttpResponse:
    ctx = {
        "workflow": workflow,
        "marks": Mark.objects.of(workflow).select_related("set_by"),
        "form": form,
        "why_not": operations.refusal_for_user(signed_in(request), workflow),
        "now": timezone.now(),
    }
    return render_page(request, "marks/page.html", fragment="marks", ctx=ctx, status=status)


def _workflow(account_id: str, workflow_name: str) -> Workflow:
    found = Workflow.objects.addressed(account_id, workflow_name).select_related("account").first()
    if found is None:
        raise Http404(
            _("No workflow %(workflow)s is known in the account %(account)s.")
            % {"workflow": workflow_name, "account": account_id}
        )
    return found
