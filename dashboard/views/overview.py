from __future__ import annotations

from django.http import HttpResponse

from dashboard.views.page import HtmxHttpRequest


def overview(request: HtmxHttpRequest) -> HttpResponse:
    return HttpResponse(request.path)


def account_workflows(request: HtmxHttpRequest, account_id: str) -> HttpResponse:
    return HttpResponse(account_id + request.path)
