"""The workflows of all accounts, or of one: where to look first."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import connection
from dashboard.models import Account
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.workflow_rows import AccountWorkflows


@require_safe
def overview(request: HtmxHttpRequest) -> HttpResponse:
    """Every account with its workflows, worst first."""
    groups = AccountWorkflows.of(Account.objects.order_by("name", "pk"))
    ctx = {"groups": groups, "title": "Overview", "now": timezone.now()}
    return render_page(request, "overview.html", fragment="workflows", ctx=ctx)


@require_safe
def account_workflows(request: HtmxHttpRequest, account_id: str) -> HttpResponse:
    """One account with its workflows; a configured one may still wait for its first sync."""
    accounts = list(Account.objects.filter(account_id=account_id))
    if not accounts and account_id not in connection.configured_accounts():
        raise Http404(f"No account {account_id} is watched here.")
    title = f"Workflows of {accounts[0].name if accounts else account_id}"
    ctx = {"groups": AccountWorkflows.of(accounts), "title": title, "now": timezone.now()}
    return render_page(request, "overview.html", fragment="workflows", ctx=ctx)
