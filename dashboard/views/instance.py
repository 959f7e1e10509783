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
from dashboard.cloudflare import Lane
from dashboard.forms.steps import StepsForm
from dashboard.insight import overdue
from dashboard.insight.instance_page import InstancePage, instance_page
from dashboard.insight.overdue import Why
from dashboard.insight.prospect import Prospect, prospect
from dashboard.models import Instance
from dashboard.models.normal import Normals
from dashboard.models.operation import Kind
from dashboard.models.workflow import mark_watched, remaining_of
from dashboard.sync import finding
from dashboard.sync.finding import Found
from dashboard.views import kept
from dashboard.views.answers import status_of
from dashboard.views.guards import access, signed_in
from dashboard.views.links import Links
from dashboard.views.live import Beside, Live, is_known, tag_of, unchanged
from dashboard.views.page import HtmxHttpRequest, render_in_parts, render_page
from dashboard.views.step_output import step_output_url


@require_GET
def instance_detail(
    request: HtmxHttpRequest, account_id: str, workflow_name: str, instance_id: str
) -> HttpResponseBase:
    links = Links(request)
    if not links.is_tidy:
        return redirect(links.tidy)
    now = timezone.now()
    client = _client(account_id, Lane.WATCHED if request.htmx else Lane.PERSON)
    found = finding.find_instance(client, account_id, workflow_name, instance_id, now=now)
    if found.instance is None:
        return _missing(request, found, account_id, workflow_name, instance_id)
    mark_watched([found.instance.workflow_id], now)
    if found.was_read:
        operations.judge_open(found.instance, now=now)
    return _page(request, found, found.instance, Beside.of(found.instance), now)


def _page(
    request: HtmxHttpRequest, found: Found, instance: Instance, beside: Beside, now: datetime
) -> HttpResponseBase:
    """Its page as it is now; to a poll that knows it already, only that nothing has changed."""
    may_change = instance.is_live or any(not item.is_settled for item in beside.items)
    live = Live(instance, found.look, is_polling=may_change and found.look is not None)
    tag = tag_of(request, found, beside, now)
    if is_known(request, tag):
        return unchanged(tag, live)
    form = StepsForm(request.GET)
    ctx = _shown(form, found, instance, live, now) | _operations(request, instance, beside)
    ctx |= {"live": live, "tag": tag}
    ctx |= kept.bar_of_live(request, instance, ctx["page"], beside.snapshots)
    is_long = ctx["page"] is not None and ctx["page"].is_long
    if is_long and not request.htmx and not form.errors:
        return render_in_parts(request, "instance/page.html", later="instance/_log.html", ctx=ctx)
    status = 400 if form.errors else 200
    response = render_page(
        request, "instance/page.html", fragment="instance", ctx=ctx, status=status
    )
    response.headers["HX-PTag"] = tag
    return response


def _shown(
    form: StepsForm, found: Found, instance: Instance, live: Live, now: datetime
) -> dict[str, Any]:
    """The instance as it is; or, where Cloudflare does not tell, as of when it was last known."""
    is_current = found.look is not None and not found.failure
    as_of = now if is_current else live.told_at or now
    detail = instance.last_detail
    page = detail and instance_page(detail, as_of, form.view)
    return {
        "instance": instance,
        "form": form,
        "page": page,
        "prospect": page and _prospect(instance, page),
        "is_current": is_current,
        "failure": found.failure,
        "is_missing": found.is_missing,
        "is_waiting": found.is_waiting,
        "console_url": _console_url(instance),
        "output_url": step_output_url(instance),
        "overdue": _overdue(instance, now),
        "changes": instance.changes.all(),
    }


def _overdue(instance: Instance, now: datetime) -> Why | None:
    """Why it is stuck; what is usual is read only for one that is."""
    if not overdue.is_stuck(instance):
        return None
    return overdue.overdue(instance, Normals.of_rows([instance]).of_row(instance), now)


def _prospect(instance: Instance, page: InstancePage) -> Prospect | None:
    """When it is likely to end; the version is read only for one that goes on."""
    if instance.is_finished:
        return None
    known = remaining_of(instance.workflow_id, instance.version_id)
    return prospect(page.detail, page.phase, known)


def _operations(request: HtmxHttpRequest, instance: Instance, beside: Beside) -> dict[str, Any]:
    """What can be asked of it, and what was; and which of its steps act outside."""
    choices = operations.choices(instance, signed_in(request))
    restarts = (c.url for c in choices if c.kind is Kind.RESTART and not c.refusal)
    return {
        "actions": choices,
        "restart_url": next(restarts, ""),
        "marks": {mark.step_name: mark for mark in beside.marks},
        "refusals": [choice for choice in choices if choice.refusal],
        "operation_items": beside.items,
    }


def _missing(
    request: HtmxHttpRequest,
    found: Found,
    account_id: str,
    workflow_name: str,
    instance_id: str,
) -> HttpResponse:
    """Nothing is known of it here either: says why, and where else to look."""
    ctx = {
        "failure": found.error,
        "is_missing": found.is_missing,
        "is_watched": found.error is not None,
        "elsewhere": [one for one in found.elsewhere if access(request).sees(one.workflow)],
        "tabs": kept.tabs(account_id, workflow_name, instance_id),
        "account_id": account_id,
        "workflow_name": workflow_name,
        "instance_id": instance_id,
    }
    return render(
        request,
        "instance/missing.html",
        ctx,
        status=status_of(found.error) if found.error else 404,
    )


def _client(account_id: str, lane: Lane) -> cloudflare.Client | None:
    try:
        return connection.connect(account_id, lane)
    except connection.UnknownAccount:
        return None


def _console_url(instance: Instance) -> str:
    """This instance in Cloudflare's own dashboard; "" for a target that has none."""
    account_id = instance.workflow.account.account_id
    try:
        target = connection.account_setting(account_id).target
    except connection.UnknownAccount:
        return ""
    return target.console_url.format(
        account_id=quote(account_id, safe=""),
        workflow_name=quote(instance.workflow.name, safe=""),
        instance_id=quote(instance.instance_id, safe=""),
    )
