from __future__ import annotations

import uuid

from django.http import HttpResponse

from dashboard.views.page import HtmxHttpRequest


def operation_list(request: HtmxHttpRequest) -> HttpResponse:
    return HttpResponse(request.path)


def new_operation(request: HtmxHttpRequest) -> HttpResponse:
    return HttpResponse(request.path)


def operation_detail(request: HtmxHttpRequest, pk: uuid.UUID) -> HttpResponse:
    return HttpResponse(str(pk) + request.path)
