"""For Prometheus: the figures of the whole dashboard as text."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from dashboard.models import User, access_of
from dashboard.views.exposition import Everything

REFUSAL = (
    "Send the header “Authorization: Bearer …” with the METRICS_TOKEN of this dashboard, "
    "or sign in as somebody who may see all workflows.\n"
)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything as of now, for whoever has the token, or signed in and may see all; 401 for all
    others."""
    if not _may_read(request):
        headers = {"WWW-Authenticate": 'Bearer realm="metrics"'}
        return HttpResponse(REFUSAL, status=401, content_type="text/plain", headers=headers)
    registry = CollectorRegistry()
    registry.register(Everything(timezone.now()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    """Without a token in the settings no header opens it."""
    told, token = request.headers.get("Authorization", ""), settings.METRICS_TOKEN
    if token and constant_time_compare(told, f"Bearer {token}"):
        return True
    return isinstance(request.user, User) and access_of(request.user).sees_all
