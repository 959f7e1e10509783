"""Errors are pages too: a true status code, a sentence, and a way on."""

from __future__ import annotations

import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard import logs
from dashboard.logs import DATABASE_AWAY
from dashboard.models import Role, User
from dashboard.problems import failed, is_api, problem
from dashboard.views.guards import NothingGranted

#: So many admins are named to somebody who has no role yet.
SOME = 10
TOO_LONG = gettext_noop(
    "More text was pasted than this dashboard takes at once; put it into a file and choose that."
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    sentence = _(TOO_LONG) if isinstance(exception, RequestDataTooBig) else _sentence(exception)
    if is_api(request):
        return problem(400, sentence or "This cannot be read.")
    return render(request, "errors/400.html", {"sentence": sentence}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, NothingGranted):
        admins = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("username")
        names = [*admins.values_list("username", flat=True)[:SOME]]
        return render(request, "errors/nothing_granted.html", {"admins": names}, status=403)
    return render(request, "errors/403.html", {"sentence": _sentence(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "errors/404.html", {"sentence": _sentence(exception)}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without a request, so that it needs neither database nor session.

    When it is the database that failed, the page says so, with 503: the next request tries again,
    and work goes on without a restart once it is back.
    """
    if is_api(request):
        return failed(sys.exception())
    if isinstance(sys.exception(), DATABASE_AWAY):
        page = render_to_string("errors/database_gone.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
    page = render_to_string("errors/500.html", {"request_id": logs.request_id()})
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was opened before signing in again, or in a browser without cookies."""
    return render(request, "errors/csrf.html", status=403)


def _sentence(exception: Exception) -> str:
    """What was raised for people to read; a URL that leads nowhere has none."""
    [first, *_] = exception.args or ("",)
    return first if isinstance(first, str) else ""
