"""Who may ask for what: said in a sentence, with a true status code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from dashboard import operations
from dashboard.models import User
from dashboard.views.page import HtmxHttpRequest

P = ParamSpec("P")


def signed_in(request: HtmxHttpRequest) -> User:
    """The user; LoginRequiredMiddleware lets nobody else come as far as a view."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in first.")
    return request.user


def operator_required(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Only for those who may act on instances; a 403 that says why for everybody else."""

    @wraps(view)
    def guarded(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if why_not := operations.refusal_for_user(signed_in(request)):
            raise PermissionDenied(why_not)
        return view(request, *args, **kwargs)

    return guarded
