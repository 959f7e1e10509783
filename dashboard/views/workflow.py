"""One workflow: what it is, its versions, its newest instances, and how its steps went."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import operations
from dashboard.models import Mark, Progress, Workflow
from dashboard.models.list_row import list_rows
from dashboard.models.workflow import mark_watched
from dashboard.views.activity import Activity
from dashboard.views.columns import OF_ONE_WORKFLOW, Table
from dashboard.views.forecast import Forecast
from dashboard.views.guards import signed_in
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.step_periods import Period, WorkflowSteps
from dashboard.views.version_rows import versions_of
from dashboard.views.workflow_rows import rows_of

NEWEST = 20


@require_safe
def workflow_detail(request: HtmxHttpRequest, account_id: str, workflow_name: str) -> HttpResponse:
    """Today's workflow of this name; those that had the name before are only mentioned."""
    found = list(Workflow.objects.addressed(account_id, workflow_name).described())
    if not found:
        raise Http404(
            _("No workflow %(workflow)s is known in the account %(account)s.")
            % {"workflow": workflow_name, "account": account_id}
        )
    [workflow, *former] = found
    now = timezone.now()
    mark_watched([workflow.pk], now)
    progress = Progress.objects.filter(workflow=workflow).first()
    [row] = rows_of([workflow])
    period = Period(request.GET.get("days", ""))
    activity = Activity(workflow, period, now)
    newest = workflow.instances.newest_first().values_list("pk", flat=True)[:NEWEST]
    ctx = {
        "row": row,
        "workflow": workflow,
        "why_not": operations.refusal_for_user(signed_in(request), workflow),
        "former": former,
        "create_query": "?"
        + urlencode({"kind": "create", "account_id": account_id, "workflow_name": workflow_name}),
        "versions": versions_of(workflow, activity),
        "activity": activity,
        "table": Table.of(list_rows(list(newest)), OF_ONE_WORKFLOW, now),
        "marks": Mark.objects.of(workflow).select_related("set_by"),
        "steps": WorkflowSteps(workflow, period, now),
        "forecast": Forecast(now, workflow),
        "coverage": progress and progress.coverage,
        "history": workflow.gaps.filter(is_history=True).order_by("until").last(),
        "now": now,
    }
    status = 400 if period.error else 200
    return render_page(request, "workflow.html", fragment="facts", ctx=ctx, status=status)
