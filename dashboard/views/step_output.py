from __future__ import annotations

from django.http import HttpResponse

from dashboard.views.page import HtmxHttpRequest


def step_output(request: HtmxHttpRequest) -> HttpResponse:
    return HttpResponse(request.path)
