"""Tokens for scripts: one's own, or for an admin everybody's."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.forms.tokens import TokenForm
from dashboard.models import ApiToken, User, access_of
from dashboard.models.api_token import ApiTokenQuerySet
from dashboard.views.guards import own, signed_in
from dashboard.views.page import HtmxHttpRequest, render_page

TEMPLATE = "tokens/list.html"
SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@own
def token_list(request: HtmxHttpRequest) -> HttpResponse:
    """The tokens; a POST makes one, whose secret is on this one answer and nowhere else."""
    user = signed_in(request)
    if request.method != "POST":
        return _render(request, TokenForm(user))
    form = TokenForm(user, request.POST)
    if not form.is_valid():
        return _render(request, form, status=422)
    now, told = timezone.now(), form.cleaned_data
    facts = {"name": told["name"], "scope": told["scope"], "expires_at": now + form.life()}
    try:
        token, secret = ApiToken.objects.make(user=user, created_at=now, **facts)
    except IntegrityError:
        form.add_error("name", _("A token of this name was made at this moment."))
        return _render(request, form, status=422)
    return _render(request, TokenForm(user), made=token, secret=secret, status=201)


@require_POST
@own
def revoke(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """The token opens nothing any more; that it was there stays in the list."""
    user = signed_in(request)
    token = get_object_or_404(_seen_by(user), pk=pk)
    token.revoke(user, timezone.now())
    messages.success(request, _("The token %(token)s opens nothing any more.") % {"token": token})
    return redirect("tokens")


def _seen_by(user: User) -> ApiTokenQuerySet:
    found = ApiToken.objects.listed()
    return found if access_of(user).is_admin else found.filter(user=user)


def _render(
    request: HtmxHttpRequest,
    form: TokenForm,
    *,
    made: ApiToken | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    now, user = timezone.now(), signed_in(request)
    tokens = list(_seen_by(user)[: SHOWN + 1])
    ctx = {
        "form": form,
        "made": made,
        "secret": secret,
        "address": request.build_absolute_uri("/api/v1/instances"),
        "rows": [(token, not token.why_closed(now)) for token in tokens[:SHOWN]],
        "has_more": len(tokens) > SHOWN,
        "sees_all": access_of(user).is_admin,
        "now": now,
    }
    response = render_page(request, TEMPLATE, fragment="rows", ctx=ctx, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response
