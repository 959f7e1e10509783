"""The page of one instance: what it is doing, and everything it did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard import cloudflare, connection, operations
from dashboard.insight.instance_page import instance_page
from dashboard.models import Instance, Item, Workflow
from dashboard.sync import finding
from dashboard.views import kept
from dashboard.views.answers import status_of
from dashboard.views.guards import signed_in
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.step_output import step_output_url

LATEST_OPERATIONS = 5


@require_GET
def instance_detail(
    request: HtmxHttpRequest, account_id: str, workflow_name: str, instance_id: str
) -> HttpResponse:
    now = timezone.now()
    client = _client(account_id)
    found = finding.find_instance(client, account_id, workflow_name, instance_id, now=now)
    if found.instance is None:
        return _missing(request, found, account_id, workflow_name, instance_id)
    Workflow.objects.filter(pk=found.instance.workflow_id).mark_watched(now)
    if found.failure is None:
        operations.judge_open(found.instance, now=now)
    ctx = _shown(request, found, found.instance, client, now) | _operations(request, found.instance)
    return render_page(request, "instance/page.html", fragment="instance", ctx=ctx)


def _shown(
    request: HtmxHttpRequest,
    found: finding.Found,
    instance: Instance,
    client: cloudflare.Client | None,
    now: datetime,
) -> dict[str, Any]:
    """The instance as it is; or, where Cloudflare does not tell, as of when it was last known."""
    is_current = client is not None and found.failure is None
    as_of = now if is_current else instance.read_at or now
    detail = instance.last_detail
    page = instance_page(detail, as_of, request.GET.get("steps", "")) if detail else None
    bar = kept.bar(
        request,
        instance.workflow,
        instance.instance_id,
        this_url=instance.get_absolute_url(),
        page=page,
        as_of=instance.read_at,
    )
    return bar | {
        "deleted_on": kept.deleted_on(instance),
        "instance": instance,
        "page": page,
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
