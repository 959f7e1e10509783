"""Who may do what: people, what they and groups are granted, and who changed that."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.people import AddPersonForm, GrantForm, PersonForm
from dashboard.models import AccessChange, Grant, User, granting
from dashboard.signing_in import factor
from dashboard.views.guards import admin_required, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

CHANGES = 50


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def people(request: HtmxHttpRequest) -> HttpResponse:
    """Everybody, and all grants; a POST adds somebody, and shows their password once."""
    form = AddPersonForm(request.POST or None)
    if not form.is_valid():
        return _list(request, {"form": form}, status=422 if request.method == "POST" else 200)
    told = form.cleaned_data
    user, password = granting.add_person(
        told["username"], told["role"], by=signed_in(request), now=timezone.now()
    )
    return _list(request, {"form": AddPersonForm(), "made_for": user, "password": password})


@require_POST
@admin_required
def grant(request: HtmxHttpRequest) -> HttpResponse:
    """Gives a role for some workflows to somebody, or to a group."""
    form = GrantForm(request.POST)
    if not form.is_valid():
        return _list(request, {"grant_form": form}, status=422)
    made = form.made()
    granting.give(made, by=signed_in(request), now=timezone.now())
    messages.success(
        request, _("Granted to %(holder)s: %(grant)s.") % {"holder": made.holder, "grant": made}
    )
    return redirect("people")


@require_POST
@admin_required
def remove_grant(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Takes it away, from the next page on."""
    found = get_object_or_404(Grant.objects.described(), pk=pk)
    granting.take(found, by=signed_in(request), now=timezone.now())
    messages.success(
        request,
        _("Taken away from %(holder)s: %(grant)s.") % {"holder": found.holder, "grant": found},
    )
    return redirect("people")


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def person(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Somebody, and what they may do; a POST changes their role, or switches them off."""
    user = get_object_or_404(User, pk=pk)
    if request.method != "POST":
        return _person(request, user, _form(user))
    form = PersonForm(request.POST)
    if form.is_valid():
        try:
            granting.change_person(
                user, **form.cleaned_data, by=signed_in(request), now=timezone.now()
            )
        except granting.LastAdmin as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("%(name)s is changed.") % {"name": user.username})
            return redirect("person", pk)
    return _person(request, user, form, status=422)


@never_cache
@require_POST
@admin_required
def new_password(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Makes up a password for somebody who has lost theirs, and shows it once."""
    user = get_object_or_404(User, pk=pk)
    if not user.has_usable_password():
        raise PermissionDenied(
            _("%(name)s signs in by the identity provider.") % {"name": user.username}
        )
    password = granting.reset_password(user, by=signed_in(request), now=timezone.now())
    return _person(request, user, _form(user), password=password)


@require_POST
@admin_required
def remove_factor(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Forgets the app and the codes of somebody who has lost both."""
    user = get_object_or_404(User, pk=pk)
    factor.remove(user, by=signed_in(request), now=timezone.now())
    messages.success(
        request,
        _("%(name)s signs in by the password alone until they add one.") % {"name": user.username},
    )
    return redirect("person", pk)


@require_POST
@admin_required
def sign_out(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Ends all of somebody's sessions."""
    user = get_object_or_404(User, pk=pk)
    granting.sign_out(user, by=signed_in(request), now=timezone.now())
    messages.success(request, _("%(name)s is signed out everywhere.") % {"name": user.username})
    return redirect("person", pk)


def _list(request: HtmxHttpRequest, told: dict[str, Any], *, status: int = 200) -> HttpResponse:
    ctx = {
        "form": AddPersonForm(),
        "grant_form": GrantForm(),
        "people": User.objects.order_by("-is_active", "username").prefetch_related("grants"),
        "grants": Grant.objects.described(),
        "changes": AccessChange.objects.select_related("changed_by")[:CHANGES],
    }
    return render_page(
        request, "people/list.html", fragment="people", ctx=ctx | told, status=status
    )


def _person(
    request: HtmxHttpRequest, user: User, form: PersonForm, *, status: int = 200, password: str = ""
) -> HttpResponse:
    ctx = {
        "person": user,
        "form": form,
        "password": password,
        "grants": Grant.objects.described().filter(user=user),
        "has_factor": factor.has_one(user),
        "changes": AccessChange.objects.filter(about=user.username).select_related("changed_by")[
            :CHANGES
        ],
    }
    return render_page(request, "people/person.html", fragment="person", ctx=ctx, status=status)


def _form(user: User) -> PersonForm:
    return PersonForm(initial={"role": user.role, "is_active": user.is_active})
