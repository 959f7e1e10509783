from __future__ import annotations

from django.http import HttpResponse

from dashboard.views.page import HtmxHttpRequest


def instance_list(request: HtmxHttpRequest) -> HttpResponse:
    return HttpResponse(request.path)
