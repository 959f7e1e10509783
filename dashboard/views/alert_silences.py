"""Silences and maintenance windows: when alerts are not delivered, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.alerts import SilenceForm
from dashboard.models import Silence
from dashboard.views.guards import can_handle_alerts, may_handle_alerts, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

USUAL = timedelta(hours=1)


@require_http_methods(["GET", "HEAD", "POST"])
def silence_list(request: HtmxHttpRequest) -> HttpResponse:
    """Those that hold or will, and the form of a new one; a POST makes it."""
    user, now = signed_in(request), timezone.now()
    if request.method == "POST":
        may_handle_alerts(request, None)
    form = SilenceForm(now, request.POST or None, _asked(request, now))
    if form.is_valid():
        silence = form.made()
        silence.made_by, silence.made_at = user, now
        silence.save()
        messages.success(
            request, _("It is silenced. What is found meanwhile is kept, and not sent.")
        )
        return redirect("alert-silences")
    silences = Silence.objects.to_come_or_on(now).select_related("rule", "workflow", "made_by")
    ctx = {
        "silences": [(one, one.until(now)) for one in silences],
        "form": form,
        "may_handle": can_handle_alerts(request, None),
        "now": now,
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "alerts/silences.html", fragment="silences", ctx=ctx, status=status)


@require_POST
def end_silence(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """From now on it is delivered again, also what still goes on."""
    may_handle_alerts(request, None)
    silence = get_object_or_404(Silence, pk=pk)
    Silence.objects.filter(pk=silence.pk, ended_at=None).update(ended_at=timezone.now())
    messages.success(request, _("The silence has ended; what still goes on is sent now."))
    return redirect("alert-silences")


def _asked(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """What the form begins with: an hour, of what the link names."""
    named = {name: request.GET[name] for name in ("rule", "workflow") if name in request.GET}
    return {"ends_at": f"{now + USUAL:%Y-%m-%dT%H:%M}", **named}
