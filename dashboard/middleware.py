"""What every answer carries."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect

from dashboard import logs
from dashboard.signing_in import factor
from dashboard.views.guards import access, check_access

GetResponse = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

#: What a proxy may call a request; anything else gets an id of ours.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """An id for each request, the proxy's or our own: in the answer, in each line of the log that
    is written for it, and in those of the tasks that it sends."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("X-Request-ID", "")
        request_id = told if REQUEST_ID.fullmatch(told) else secrets.token_hex(8)
        token = logs.begin(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            logs.end(token)
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicy:
    """Nothing inline, nothing from elsewhere: a script in an id, name or output stays text."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", POLICY)
        return response


class OnlyWhatIsGranted:
    """Who may not see all workflows gets only views that say that they mind that; who has to have
    a second factor and has none gets only the way to it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, named: dict[str, Any]
    ) -> HttpResponse | None:
        if not getattr(view, "login_required", True) or getattr(view, "is_own", False):
            return None
        if factor.is_missing(request, access(request)):
            return redirect("mfa_index")
        check_access(request, view, named)
        return None


class NothingNew:
    """A fragment that says what the reader's last one said is answered by 304, so that htmx leaves
    the page alone. The reader sends back the tag that the last one bore."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        tag = response.headers.get("HX-PTag")
        is_told = response.status_code == HTTPStatus.NOT_MODIFIED  # By the view itself.
        if tag is None or is_told or tag != request.headers.get("HX-PTag"):
            return response
        return HttpResponseNotModified(headers={"HX-PTag": tag, "Vary": "HX-Request"})
