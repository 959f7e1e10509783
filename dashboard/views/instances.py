"""The list of instances over all workflows and accounts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.forms.instance_filters import InstanceFilterForm
from dashboard.forms.old_addresses import translated
from dashboard.models.workflow import mark_watched
from dashboard.views.columns import Table
from dashboard.views.current_view import CurrentView
from dashboard.views.guards import access, narrowed, signed_in
from dashboard.views.links import Links
from dashboard.views.listing import Listing
from dashboard.views.looks import Looks
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.selecting import selection
from dashboard.views.shared import shared


@require_safe
@narrowed
@shared
def instance_list(request: HtmxHttpRequest) -> HttpResponse:
    """The rows that fit the filters; refreshed, exactly the rows that are on the page."""
    links = Links(request, translated(request.GET))
    looks = Looks(request.GET, links)
    if not links.is_tidy or looks.is_untidy:
        return redirect(looks.tidy if looks.is_untidy else links.tidy)
    now = timezone.now()
    form = InstanceFilterForm(request.GET, now=now, access=access(request))
    # A refresh asks for rows: how they were to look was answered with the page.
    is_good = form.is_valid() and (looks.form.is_valid() or request.htmx)
    listing = Listing(form, links)
    if form.filters.workflows.wanted:
        mark_watched(listing.matching.workflows or (), now)
    picking = selection(request, links)
    form_id = picking.form if picking else ""
    ctx = {
        "now": now,
        "form": form,
        "listing": listing,
        "looks": looks,
        "table": Table.of(listing.page.rows, looks.columns, now, form=form_id),
        "view": CurrentView(signed_in(request), request.GET.get("view", ""), links),
        "selection": picking,
    }
    status = 200 if is_good else 400
    return render_page(request, "instances/list.html", fragment="rows", ctx=ctx, status=status)
