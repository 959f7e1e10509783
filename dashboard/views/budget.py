"""What is left of Cloudflare's request limit, and who spent it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard import connection
from dashboard.insight.budget_page import BudgetPage, Meter
from dashboard.views.guards import narrowed
from dashboard.views.page import HtmxHttpRequest, render_page


@require_safe
def budget_detail(request: HtmxHttpRequest) -> HttpResponse:
    """Each budget: the meter, who spent what, and what Cloudflare says itself."""
    now = timezone.now()
    pages = []
    for names, budget in connection.budgets():
        ledger = budget.ledger()
        meter = Meter(names, ledger.reading if ledger else None, now)
        pages.append(BudgetPage(meter, ledger))
    ctx = {"budgets": pages, "now": now}
    return render_page(request, "budget/page.html", fragment="budgets", ctx=ctx)


@require_safe
@narrowed
def budget_meter(request: HtmxHttpRequest) -> HttpResponse:
    """The meter of the frame, and the sync strip beside it, for refreshing them in place."""
    return render(request, "components/strips_again.html")
