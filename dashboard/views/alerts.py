"""Alerts: what was found, who was told, and who sees to it."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from dashboard import alerts
from dashboard.forms.alerts import AcknowledgeForm
from dashboard.models import AlertIncident, AlertRule, Delivery, Silence
from dashboard.views.guards import access, can_handle_alerts, may_handle_alerts, narrowed, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

PER_PAGE = 50


@require_safe
@narrowed
def alert_list(request: HtmxHttpRequest) -> HttpResponse:
    """The open incidents first, then those that resolved, the latest first."""
    now = timezone.now()
    found = (
        AlertIncident.objects.filter(access(request).seen())
        .described()
        .order_by(F("resolved_at").desc(nulls_first=True), "-opened_at", "-pk")
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    silences = list(Silence.objects.begun(now))
    ctx = {
        "page": page,
        "rows": [
            (one, alerts.silence_of(one, silences, now) if one.is_open else None) for one in page
        ],
        "has_rules": AlertRule.objects.present().exists(),
        "now": now,
    }
    return render_page(request, "alerts/list.html", fragment="rows", ctx=ctx)


@require_safe
@narrowed
def alert_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One incident: what it is, what happened to it, and what was delivered of that."""
    return _detail(request, pk, AcknowledgeForm())


@require_POST
@narrowed
def acknowledge(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Somebody sees to it: their name and note stand on it, and no update is sent any more."""
    incident = _incident(request, pk)
    may_handle_alerts(request, incident.workflow)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _detail(request, pk, form, status=422)
    if alerts.acknowledge(pk, signed_in(request), form.cleaned_data["note"], now=timezone.now()):
        messages.success(request, _("Your name stands on it. Only its resolution is still sent."))
    else:
        messages.info(request, _("It resolved in the meantime; nothing was changed."))
    return redirect("alert", pk)


def _incident(request: HtmxHttpRequest, pk: int) -> AlertIncident:
    return get_object_or_404(AlertIncident.objects.described(), access(request).seen(), pk=pk)


def _detail(
    request: HtmxHttpRequest, pk: int, form: AcknowledgeForm, *, status: int = 200
) -> HttpResponse:
    incident, now = _incident(request, pk), timezone.now()
    deliveries = Delivery.objects.select_related("channel").prefetch_related("tries").order_by("pk")
    events = incident.events.select_related("by").prefetch_related(
        Prefetch("deliveries", queryset=deliveries)
    )
    ctx = {
        "incident": incident,
        "events": events.order_by("-number"),
        "silence": alerts.silence_of(incident, list(Silence.objects.begun(now)), now),
        "since_path": alerts.since_path(incident.began_at),
        "form": form,
        "may_handle": can_handle_alerts(request, incident.workflow),
        "now": now,
    }
    return render_page(request, "alerts/detail.html", fragment="alert", ctx=ctx, status=status)
