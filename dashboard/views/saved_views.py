"""Saved views: the pages that make, change, copy and delete them, and the link to each."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboard.forms.saved_views import SavedViewForm
from dashboard.models import SavedView
from dashboard.views.current_view import SYSTEM_VIEWS
from dashboard.views.guards import narrowed, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page


@require_safe
@narrowed
def saved_view_list(request: HtmxHttpRequest) -> HttpResponse:
    """All that this reader has, with what they may do to each."""
    user = signed_in(request)
    views = SavedView.objects.visible_to(user)
    ctx = {
        "system": SYSTEM_VIEWS,
        "saved": [(view, view.may_be_changed_by(user)) for view in views],
    }
    return render_page(request, "saved_views/list.html", fragment="rows", ctx=ctx)


@require_safe
@narrowed
def saved_view(request: HtmxHttpRequest, pk: int, slug: str) -> HttpResponse:
    """The link to a view: the list that it stands for."""
    view = _visible(request, pk)
    query = f"{view.query}&" if view.query else ""
    return redirect(f"{reverse('instances')}?{query}view={view.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@narrowed
def new_saved_view(request: HtmxHttpRequest) -> HttpResponse:
    """Saves the list of `query` under a name."""
    view = SavedView(owner=signed_in(request), query=request.GET.get("query", ""))
    return _filled_in(request, view)


@require_http_methods(["GET", "HEAD", "POST"])
@narrowed
def change_saved_view(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Another name, another list, shared or not: as its owner or an admin."""
    return _filled_in(request, _changeable(request, pk))


@require_POST
@narrowed
def copy_saved_view(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """One's own view of the same list, to be changed as one likes."""
    view = _visible(request, pk)
    copy = SavedView.objects.create(
        owner=signed_in(request),
        name=f"{view.name[:70]} (copy)",
        query=view.query,
        saved_at=timezone.now(),
    )
    messages.success(
        request, _("“%(name)s” is copied; the copy is yours to change.") % {"name": view.name}
    )
    return redirect("change-saved-view", pk=copy.pk)


@require_POST
@narrowed
def delete_saved_view(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    view = _changeable(request, pk)
    view.delete()
    messages.success(
        request,
        _("The view “%(name)s” is deleted; no instance is touched by that.") % {"name": view.name},
    )
    return redirect("saved-views")


def _filled_in(request: HtmxHttpRequest, view: SavedView) -> HttpResponse:
    """The form of a view; saved when it was sent and fits."""
    known = {"name": view.name, "is_shared": view.is_shared, "query": view.query}
    form = SavedViewForm(request.POST or None, initial=known)
    if form.is_valid():
        for name, value in form.cleaned_data.items():
            setattr(view, name, value)
        view.saved_at = timezone.now()
        view.save()
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        return redirect(view)
    status = 422 if request.method == "POST" else 200
    ctx = {"form": form, "view": view}
    return render_page(request, "saved_views/form.html", fragment="form", ctx=ctx, status=status)


def _visible(request: HtmxHttpRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(signed_in(request)), pk=pk)


def _changeable(request: HtmxHttpRequest, pk: int) -> SavedView:
    view = _visible(request, pk)
    if not view.may_be_changed_by(signed_in(request)):
        raise PermissionDenied(
            _(
                "Only %(owner)s, who saved “%(name)s”, and admins change it. Copy it to "
                "have one of your own."
            )
            % {"owner": view.owner.username, "name": view.name}
        )
    return view
