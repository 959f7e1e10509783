"""What every page shares: rendering a page or one of its fragments, and the frame around it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request that HtmxMiddleware has seen."""

    htmx: HtmxDetails


def render_page(
    request: HtmxHttpRequest,
    template: str,
    *,
    fragment: str,
    ctx: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """The page, or only its named fragment when htmx asks for it.

    The server picks the fragment; a client cannot name one. A restored history entry gets the page.
    """
    is_fragment = bool(request.htmx) and not request.htmx.history_restore_request
    name = f"{template}#{fragment}" if is_fragment else template
    response = render(request, name, ctx, status=status)
    response.headers["Vary"] = "HX-Request"
    return response


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page shows."""
    return {}
