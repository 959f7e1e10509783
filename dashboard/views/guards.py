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


def may_handle_alerts(user: User) -> None:
    """Raises PermissionDenied for those who may only look. Nothing of it acts on Cloudflare, so
    READ_ONLY forbids nothing here."""
    if not user.can_operate:
        raise PermissionDenied(
            f"Your role is {user.role}; seeing to alerts takes the role operator."
        )


def may_change_alerts(user: User) -> None:
    """Raises PermissionDenied for those who do not say what is alerted of, and to whom."""
    if not user.can_administer:
        raise PermissionDenied(
            f"Your role is {user.role}; changing rules and channels of alerts takes the role admin."
        )
