"""What every page shares: rendering a page or one of its fragments, and the frame around it."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django_htmx.middleware import HtmxDetails

from dashboard.views.frame import Frame

#: What differs between two renderings of the same facts: texts that tick, and the form token.
_TICKING = re.compile(
    rb"(<time[^>]* data-(?:age|elapsed|countdown)[^>]*>)[^<]*|csrfmiddlewaretoken\" value=\"[^\"]*"
)
#: Where the part that is sent later stands in its page.
_LATER = mark_safe("<!-- later -->")

logger = logging.getLogger(__name__)


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


def render_in_parts(
    request: HtmxHttpRequest, template: str, *, later: str, ctx: dict[str, Any]
) -> HttpResponseBase:
    """The page, sent before one part of it is made: the template `later`.

    `{{ later }}` is where that part belongs in the page, which leaves it out itself. When it fails,
    the page says so in its place: its status is sent already.
    """
    whole = render_to_string(template, {**ctx, "later": _LATER}, request)
    before, _, after = whole.partition(_LATER)

    def parts() -> Iterator[str]:
        yield before
        try:
            yield render_to_string(later, ctx, request)
        except Exception:
            logger.exception("A part of a page could not be made: %s", later)
            yield render_to_string("errors/part.html")
        yield after

    return StreamingHttpResponse(parts(), headers={"Vary": "HX-Request"})


def _tag(content: bytes) -> str:
    """A short name for what the fragment says, whatever the time it was said."""
    return hashlib.sha256(_TICKING.sub(rb"\1", content)).hexdigest()[:24]


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page shows, and the moment that ages are told from."""
    frame = Frame(request)
    return {"frame": frame, "now": frame.now}
