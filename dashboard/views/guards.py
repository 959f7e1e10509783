"""Who may ask for what: said in a sentence, with a true status code."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from dashboard import operations
from dashboard.models import Access, User, Workflow, access_of
from dashboard.views.page import HtmxHttpRequest

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., Any])


def signed_in(request: HttpRequest) -> User:
    """The user; LoginRequiredMiddleware lets nobody else come as far as a view."""
    if not isinstance(request.user, User):
        raise PermissionDenied(_("Sign in first."))
    return request.user


def access(request: HttpRequest) -> Access:
    """What who asks may see and do."""
    return access_of(signed_in(request))


def narrowed(view: View) -> View:
    """Says of a view that it shows each reader only the workflows that they may see. Who may not
    see all gets no other view, but those whose address names a workflow."""
    view.is_narrowed = True  # type: ignore[attr-defined]
    return view


def own(view: View) -> View:
    """Says of a view that it is about nothing but the reader: open to everybody who signed in."""
    view.is_own = True  # type: ignore[attr-defined]
    return view


def check_access(request: HttpRequest, view: Callable[..., Any], named: dict[str, Any]) -> None:
    """Raises PermissionDenied, or Http404 as for what does not exist, where the reader may not see
    what the view shows. `named`: what its address names."""
    mine = access(request)
    if mine.sees_all:
        return
    if mine.sees_nothing:
        raise NothingGranted
    account_id, name = named.get("account_id"), named.get("workflow_name")
    if account_id is not None and name is not None:
        see_named(request, account_id, name)
    elif not getattr(view, "is_narrowed", False):
        raise PermissionDenied(
            _("This page is about all workflows, and you may see only some of them.")
        )


class NothingGranted(PermissionDenied):
    """They signed in, and nobody has given them a role for anything."""


def see_named(request: HttpRequest, account_id: str, name: str) -> None:
    """Raises Http404 where they may not see the workflow of this name, whether there is one."""
    if not access(request).sees_named(account_id, name):
        raise Http404(
            _("No workflow %(name)s is known in the account %(account)s.")
            % {"name": name[:64], "account": account_id[:64]}
        )


def operator_required(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Only for those who may act on instances of some workflow; a 403 that says why for everybody
    else. Of which one is for the view to ask: `may_operate`."""

    @wraps(view)
    def guarded(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if why_not := operations.refusal_for_user(signed_in(request)):
            raise PermissionDenied(why_not)
        return view(request, *args, **kwargs)

    return guarded


def may_operate(request: HttpRequest, *workflows: Workflow) -> None:
    """Raises PermissionDenied unless they may act on the instances of each of these."""
    for workflow in workflows:
        if why_not := operations.refusal_for_user(signed_in(request), workflow):
            raise PermissionDenied(why_not)


def may_handle_alerts(request: HttpRequest, workflow: Workflow | None) -> None:
    """Raises PermissionDenied for those who may only look at what it is about; None: at all
    workflows. Nothing of it acts on Cloudflare, so READ_ONLY forbids nothing here."""
    if not can_handle_alerts(request, workflow):
        mine = access(request)
        role = mine.role_for(workflow) if workflow else mine.everywhere
        raise PermissionDenied(
            _("Your role is %(role)s; seeing to alerts takes the role operator.") % {"role": role}
        )


def can_handle_alerts(request: HttpRequest, workflow: Workflow | None) -> bool:
    mine = access(request)
    return mine.can_operate(workflow) if workflow else mine.operates_all


def may_change_alerts(user: User) -> None:
    """Raises PermissionDenied for those who do not say what is alerted of, and to whom."""
    if not access_of(user).is_admin:
        raise PermissionDenied(
            _("Your role is %(role)s; changing rules and channels of alerts takes the role admin.")
            % {"role": access_of(user).own}
        )


def admin_required(
    view: Callable[Concatenate[HtmxHttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HtmxHttpRequest, P], HttpResponse]:
    """Only for those who say who may do what; a 403 for everybody else."""

    @wraps(view)
    def guarded(request: HtmxHttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        mine = access(request)
        if not mine.is_admin:
            raise PermissionDenied(
                _("Your role is %(role)s; this page takes the role admin.") % {"role": mine.own}
            )
        return view(request, *args, **kwargs)

    return guarded
