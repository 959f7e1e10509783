from __future__ import annotations

from django.http import HttpResponse

from dashboard.views.page import HtmxHttpRequest


def workflow_detail(request: HtmxHttpRequest, account_id: str, workflow_name: str) -> HttpResponse:
    return HttpResponse(request.path)
