"""One step of a workflow over time: its days, its versions, and the attempts that failed."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.models import Workflow, step_figures
from dashboard.models.storing import storable
from dashboard.views.page import HtmxHttpRequest
from dashboard.views.step_periods import Period, WorkflowSteps

FAILURES = 25


@require_safe
def step_detail(request: HtmxHttpRequest, account_id: str, workflow_name: str) -> HttpResponse:
    """What events told of the step that the address names."""
    found = Workflow.objects.addressed(account_id, workflow_name).select_related("account")
    workflow = found.first()
    if workflow is None:
        raise Http404(
            _("No workflow %(workflow)s is known in the account %(account)s.")
            % {"workflow": workflow_name, "account": account_id}
        )
    period, now = Period(request.GET.get("days", "")), timezone.now()
    since, name = period.since(now), storable(request.GET.get("name", ""))
    hours = list(workflow.step_hours.filter(begins_on__gte=since, step_name=name))
    failures = workflow.failed_attempts.filter(failed_on__gte=since, step_name=name)
    ctx = {
        "workflow": workflow,
        "name": name,
        "steps": WorkflowSteps(workflow, period, now),
        "days": step_figures.by_day(hours),
        "versions": step_figures.by_version(hours),
        "failures": failures.order_by("-failed_on", "-pk")[:FAILURES],
        "now": now,
    }
    return render(request, "steps/page.html", ctx, status=400 if period.error else 200)
