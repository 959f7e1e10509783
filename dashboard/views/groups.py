"""Failures by their cause: the list of groups, and one of them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.forms.groups import GroupFilterForm
from dashboard.models import ErrorGroup
from dashboard.views.group_listing import GroupListing
from dashboard.views.group_page import GroupPage
from dashboard.views.guards import access, narrowed, signed_in
from dashboard.views.links import Links
from dashboard.views.page import HtmxHttpRequest, render_page


@require_safe
@narrowed
def group_list(request: HtmxHttpRequest) -> HttpResponse:
    """The groups that fit the filters, what matters first."""
    form, links = GroupFilterForm(request.GET, access(request)), Links(request)
    if any("" in request.GET.getlist(name) for name in form.fields):
        return redirect(links.tidy)
    status = 200 if form.is_valid() else 400
    ctx = {"form": form, "listing": GroupListing(form, timezone.now(), request.GET)}
    return render_page(request, "groups/list.html", fragment="rows", ctx=ctx, status=status)


@require_safe
@narrowed
def group_detail(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """What a group is, how it goes, what its failures have in common, and what people said."""
    group = get_object_or_404(ErrorGroup.objects.described(), access(request).seen(), pk=pk)
    ctx = {"page": GroupPage(group, signed_in(request), timezone.now())}
    return render_page(request, "groups/page.html", fragment="figures", ctx=ctx)
