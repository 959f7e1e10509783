"""What people did, and how it went."""

from __future__ import annotations

import uuid

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.models import Operation
from dashboard.views.asking import ask
from dashboard.views.page import HtmxHttpRequest, render_page

PER_PAGE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def operation_list(request: HtmxHttpRequest) -> HttpResponse:
    """Everything that was ever asked for, the latest first; a POST asks for something new."""
    if request.method == "POST":
        return ask(request)
    found = Operation.objects.select_related("workflow__account", "requested_by").prefetch_related(
        "items"
    )
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    ctx = {"page": page, "now": timezone.now()}
    return render_page(request, "operations/list.html", fragment="rows", ctx=ctx)


@require_GET
def operation_detail(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One operation, with what is known of each of its instances; live until all have settled."""
    operation = get_object_or_404(
        Operation.objects.select_related("workflow__account", "requested_by").prefetch_related(
            "items"
        ),
        pk=pk,
    )
    items = operation.items.all()
    ctx = {
        "operation": operation,
        "items": items,
        "is_live": any(not item.is_settled for item in items),
        "now": timezone.now(),
    }
    return render_page(request, "operations/detail.html", fragment="outcome", ctx=ctx)
