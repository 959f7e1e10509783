"""The page of one instance: what it is doing, and everything it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard import cloudflare, connection, operations
from dashboard.forms.steps import StepsForm
from dashboard.insight.instance_page import instance_page
from dashboard.models import Instance, Item, Workflow
from dashboard.sync import finding
from dashboard.views import kept
from dashboard.views.answers import status_of
from dashboard.views.guards import signed_in
from dashboard.views.links import Links
from dashboard.views.page import HtmxHttpRequest, render_in_parts, render_page
from dashboard.views.step_output import step_output_url

LATEST_OPERATIONS = 5


@require_GET
def instance_detail(
    request: HtmxHttpRequest, account_id: str, workflow_name: str, instance_id: str
) -> HttpResponseBase:
    links = Links(request)
    if not links.is_tidy:
        return redirect(links.tidy)
    now, form = timezone.now(), StepsForm(request.GET)
    client = _client(account_id)
    found = finding.find_instance(client, account_id, workflow_name, instance_id, now=now)
    if found.instance is None:
        return _missing(request, found, account_id, workflow_name, instance_id)
    Workflow.objects.filter(pk=found.instance.workflow_id).mark_watched(now)
    if found.failure is None:
        operations.judge_open(found.instance, now=now)
    ctx = _shown(form, found, found.instance, client, now) | _operations(request, found.instance)
    ctx |= kept.bar_of_live(request, found.instance, ctx["page"])
    is_long = ctx["page"] is not None and ctx["page"].is_long
    if is_long and not request.htmx and not form.errors:
        return render_in_parts(request, "instance/page.html", later="instance/_log.html", ctx=ctx)
    status = 400 if form.errors else 200
    return render_page(request, "instance/page.html", fragment="instance", ctx=ctx, status=status)


def _shown(
    form: StepsForm,
    found: finding.Found,
    instance: Instance,
    client: cloudflare.Client | None,
    now: datetime,
) -> dict[str, Any]:
    """The instance as it is; or, where Cloudflare does not tell, as of when it was last known."""
    is_current = client is not None and found.failure is None
    as_of = now if is_current else instance.read_at or now
    detail = instance.last_detail
    return {
        "instance": instance,
        "form": form,
        "page": detail and instance_page(detail, as_of, form.view),
        "is_current": is_current,
        "failure": found.failure,
        "is_missing": found.is_missing,
        "is_waiting": found.is_waiting,
        "is_watched": client is not None,
        "console_url": client and _console_url(client, instance),
        "output_url": step_output_url(instance),
        "changes": instance.changes.all(),
    }


def _operations(request: HtmxHttpRequest, instance: Instance) -> dict[str, Any]:
    """What can be asked of it, and what was; the page is live while either may still change."""
    choices = operations.choices(instance, signed_in(request))
    items = Item.objects.of_instance(instance.workflow, instance.instance_id)
    latest = list(items[:LATEST_OPERATIONS])
    return {
        "actions": choices,
        "refusals": [choice for choice in choices if choice.refusal],
        "operation_items": latest,
        "is_live": instance.is_live or any(not item.is_settled for item in latest),
    }


def _missing(
    request: HtmxHttpRequest,
    found: finding.Found,
    account_id: str,
    workflow_name: str,
    instance_id: str,
) -> HttpResponse:
    """Nothing is known of it here either: says why, and where else to look."""
    ctx = {
        "failure": found.failure,
        "is_missing": found.is_missing,
        "is_watched": found.failure is not None,
        "elsewhere": found.elsewhere,
        "tabs": kept.tabs(account_id, workflow_name, instance_id),
        "account_id": account_id,
        "workflow_name": workflow_name,
        "instance_id": instance_id,
    }
    return render(
        request,
        "instance/missing.html",
        ctx,
        status=status_of(found.failure) if found.failure else 404,
    )


def _client(account_id: str) -> cloudflare.Client | None:
    try:
        return connection.connect(account_id)
    except connection.UnknownAccount:
        return None


def _console_url(client: cloudflare.Client, instance: Instance) -> str:
    """This instance in Cloudflare's own dashboard; "" for a target that has none."""
    return client.target.console_url.format(
        account_id=quote(client.account_id, safe=""),
        workflow_name=quote(instance.workflow.name, safe=""),
        instance_id=quote(instance.instance_id, safe=""),
    )
