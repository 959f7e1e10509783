"""The list of instances over all workflows and accounts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.forms.instance_filters import InstanceFilterForm
from dashboard.models import Workflow
from dashboard.views.links import Links
from dashboard.views.listing import Listing
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.shared import shared


@require_safe
@shared
def instance_list(request: HtmxHttpRequest) -> HttpResponse:
    """The rows that fit the filters; refreshed, exactly the rows that are on the page."""
    links = Links(request)
    if not links.is_tidy:
        return redirect(links.tidy)
    now = timezone.now()
    form = InstanceFilterForm(request.GET, now=now)
    status = 200 if form.is_valid() else 400
    listing = Listing(form, links)
    if form.filters.workflows.wanted:
        chosen = Workflow.objects.filter(pk__in=listing.matching.workflows or ())
        chosen.present().mark_watched(now)
    ctx = {"now": now, "form": form, "listing": listing}
    return render_page(request, "instances/list.html", fragment="rows", ctx=ctx, status=status)
