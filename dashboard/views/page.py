"""What every page shares: rendering a page or one of its fragments, and the frame around it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails

from dashboard.views.frame import Frame

#: What differs between two renderings of the same facts: texts that tick, and the form token.
_TICKING = re.compile(
    rb"(<time[^>]* data-(?:age|elapsed|countdown)[^>]*>)[^<]*|csrfmiddlewaretoken\" value=\"[^\"]*"
)


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
    A fragment bears a tag of what it says: see middleware.NothingNew.
    """
    is_fragment = bool(request.htmx) and not request.htmx.history_restore_request
    name = f"{template}#{fragment}" if is_fragment else template
    response = render(request, name, {**ctx, "is_fragment": is_fragment}, status=status)
    if is_fragment and request.method == "GET" and status == 200:
        response.headers["HX-PTag"] = _tag(response.content)
    response.headers["Vary"] = "HX-Request"
    return response


def _tag(content: bytes) -> str:
    """A short name for what the fragment says, whatever the time it was said."""
    return hashlib.sha256(_TICKING.sub(rb"\1", content)).hexdigest()[:24]


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page shows, and the moment that ages are told from."""
    frame = Frame(request)
    return {"frame": frame, "now": frame.now}
