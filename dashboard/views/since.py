"""What has changed since a moment: the page behind the pager, and the link of an incident."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.forms.since import Since
from dashboard.views.guards import access, narrowed
from dashboard.views.limits import PAGES, at_most
from dashboard.views.page import HtmxHttpRequest, render_page
from dashboard.views.since_page import SincePage


@require_safe
@narrowed
@at_most(PAGES, "since")
def since(request: HtmxHttpRequest) -> HttpResponse:
    """All that changed since the moment of the address; a form where it names none."""
    now = timezone.now()
    asked = Since.anchor(request.GET.get("at", ""), now)
    if asked.is_span:
        # The link that people share must not move on with the clock.
        return redirect(f"{request.path}?at={asked.field}")
    page = SincePage(asked.at, now, access(request)) if asked.at else None
    link = request.build_absolute_uri(f"{request.path}?at={asked.field}") if asked.at else ""
    ctx = {"since": asked, "page": page, "now": now, "link": link}
    status = 400 if asked.error else 200
    return render_page(request, "since/page.html", fragment="changes", ctx=ctx, status=status)
