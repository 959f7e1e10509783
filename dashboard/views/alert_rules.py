"""The rules of alerts: what there is to choose from, and what each would have done."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard import alerts
from dashboard.alerts import KINDS, stored
from dashboard.forms.alerts import RuleForm
from dashboard.models import AlertRule
from dashboard.views.guards import access, may_change_alerts, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page


@require_safe
def rule_list(request: HtmxHttpRequest) -> HttpResponse:
    """The rules that there are, and the kinds that one can be made of."""
    rules = AlertRule.objects.present().select_related("workflow", "changed_by")
    ctx = {
        "rules": [(rule, KINDS[rule.kind].TITLE) for rule in rules.prefetch_related("channels")],
        "kinds": list(KINDS.values()),
        "may_change": access(request).is_admin,
    }
    return render_page(request, "alerts/rules.html", fragment="rules", ctx=ctx)


@require_http_methods(["GET", "HEAD", "POST"])
def new_rule(request: HtmxHttpRequest, kind: str) -> HttpResponse:
    """A rule of this kind, with terms that suit most; a POST tries it on history, or saves it."""
    if kind not in KINDS:
        raise Http404(_("There is no kind of alert rule called %(kind)s.") % {"kind": kind[:40]})
    return _filled_in(request, kind, None)


@require_http_methods(["GET", "HEAD", "POST"])
def rule_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """A rule, to be read or changed."""
    rule = get_object_or_404(AlertRule.objects.present(), pk=pk)
    return _filled_in(request, rule.kind, rule)


@require_POST
def remove_rule(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The rule judges nothing any more; its incidents stay, and the open ones are resolved."""
    may_change_alerts(signed_in(request))
    rule = get_object_or_404(AlertRule.objects.present(), pk=pk)
    AlertRule.objects.filter(pk=rule.pk).update(removed_at=timezone.now())
    messages.success(
        request, _("The rule “%(name)s” is removed; its incidents are kept.") % {"name": rule.name}
    )
    return redirect("alert-rules")


def _filled_in(request: HtmxHttpRequest, kind: str, rule: AlertRule | None) -> HttpResponse:
    """The form of a rule; saved when it was sent to be saved, and fits."""
    user = signed_in(request)
    if rule is None or request.method == "POST":
        may_change_alerts(user)
    form = RuleForm(KINDS[kind], rule, request.POST or None)
    ctx = {"form": form, "rule": rule, "kind": KINDS[kind], "may_change": access(request).is_admin}
    status = 200
    if request.method == "POST":
        if form.is_valid() and "backtest" not in request.POST:
            return redirect(_save(request, form, rule))
        status = 200 if form.is_valid() else 422
    if form.is_valid() or (rule and request.method != "POST"):
        ctx |= _backtest(form, rule)
    return render_page(request, "alerts/rule.html", fragment="rule", ctx=ctx, status=status)


def _backtest(form: RuleForm, rule: AlertRule | None) -> dict[str, Any]:
    """What the rule would have done, as it was filled in, or as it is."""
    now = timezone.now()
    if form.is_valid():
        kind, workflow = form.made(), form.workflow
    elif rule:
        kind, workflow = alerts.kind_of(rule.kind, rule.terms), rule.workflow
    found = alerts.backtest(kind, stored.long(kind, workflow, now), now)
    return {"backtest": found, "now": now}


def _save(request: HtmxHttpRequest, form: RuleForm, rule: AlertRule | None) -> AlertRule:
    rule = rule or AlertRule(kind=form.kind.NAME)
    rule.name, rule.is_on = form.cleaned_data["name"], form.cleaned_data["is_on"]
    rule.terms, rule.workflow = form.told(), form.workflow
    rule.changed_by, rule.changed_at = signed_in(request), timezone.now()
    rule.save()
    rule.channels.set(form.cleaned_data["channels"])
    messages.success(request, _("The rule “%(name)s” is saved.") % {"name": rule.name})
    if not form.cleaned_data["channels"]:
        messages.warning(
            request, _("It sends to no channel, so its alerts stand only on this page.")
        )
    return rule
