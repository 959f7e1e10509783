"""Channels: where alerts are sent, and whether that works."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import alerts
from dashboard.alerts import Fate
from dashboard.forms.alerts import ChannelForm
from dashboard.models import AlertChannel, AlertRule
from dashboard.views.guards import access, may_change_alerts, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

LISTED = 20


@require_safe
def channel_list(request: HtmxHttpRequest) -> HttpResponse:
    rules = Prefetch("rules", queryset=AlertRule.objects.present())
    ctx = {
        "channels": AlertChannel.objects.present().prefetch_related(rules),
        "may_change": access(request).is_admin,
    }
    return render_page(request, "alerts/channels.html", fragment="channels", ctx=ctx)


@require_http_methods(["GET", "HEAD", "POST"])
def new_channel(request: HtmxHttpRequest) -> HttpResponse:
    may_change_alerts(signed_in(request))
    return _filled_in(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def channel_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """A channel, what it was sent lately, and the form that changes it."""
    channel = get_object_or_404(AlertChannel.objects.present(), pk=pk)
    if request.method == "POST":
        may_change_alerts(signed_in(request))
    return _filled_in(request, channel)


@require_POST
def test_channel(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Sends a message now, and says what became of it."""
    user = signed_in(request)
    may_change_alerts(user)
    channel = get_object_or_404(AlertChannel.objects.present(), pk=pk)
    outcome = alerts.test(channel, by=user.username, now=timezone.now())
    tell = messages.success if outcome.fate is Fate.ACCEPTED else messages.error
    tell(
        request,
        _("Test of “%(name)s”: %(outcome)s") % {"name": channel.name, "outcome": outcome.words},
    )
    return redirect(channel)


@require_POST
def remove_channel(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Nothing is sent there any more, and its address is forgotten."""
    may_change_alerts(signed_in(request))
    channel = get_object_or_404(AlertChannel.objects.present(), pk=pk)
    channel.removed_at, channel.sealed_address = timezone.now(), ""
    channel.save(update_fields=["removed_at", "sealed_address"])
    channel.rules.clear()
    messages.success(
        request,
        _("The channel “%(name)s” is removed, and its address forgotten.") % {"name": channel.name},
    )
    return redirect("alert-channels")


def _filled_in(request: HtmxHttpRequest, channel: AlertChannel | None) -> HttpResponse:
    """The form of a channel; saved when it was sent and fits."""
    form = ChannelForm(channel, request.POST or None)
    if form.is_valid():
        return redirect(_save(request, form, channel))
    ctx: dict[str, Any] = {
        "form": form,
        "channel": channel,
        "may_change": access(request).is_admin,
        "now": timezone.now(),
    }
    if channel:
        ctx["deliveries"] = channel.deliveries.select_related("event__incident__rule").order_by(
            "-pk"
        )[:LISTED]
    status = 422 if request.method == "POST" else 200
    return render_page(request, "alerts/channel.html", fragment="channel", ctx=ctx, status=status)


def _save(
    request: HtmxHttpRequest, form: ChannelForm, channel: AlertChannel | None
) -> AlertChannel:
    channel = channel or AlertChannel()
    channel.name = form.cleaned_data["name"]
    if address := form.cleaned_data["address"]:
        channel.address, channel.service = address, form.service
        channel.tested_at, channel.test_words, channel.is_test_good = None, "", False
    channel.changed_by, channel.changed_at = signed_in(request), timezone.now()
    channel.save()
    messages.success(
        request,
        _("The channel “%(name)s” is saved. Test it before you need it.") % {"name": channel.name},
    )
    return channel
