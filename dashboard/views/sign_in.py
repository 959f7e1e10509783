"""Signing in and out: by a name and a password, or by the identity provider."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from requests import RequestException

from dashboard.views.guards import own

#: What the name of the provider is in its addresses.
PROVIDER = "sso"


class SignIn(LoginView):  # type: ignore[misc]
    """The sign-in page; a reader who followed a link comes back to it afterwards."""

    template_name = "account/login.html"

    def form_invalid(self, form: Any) -> HttpResponse:
        """The form again, with what did not fit; not as if nothing had been wrong."""
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.has_error("__all__", "too_many_login_attempts"):
            status = HTTPStatus.TOO_MANY_REQUESTS
        ctx = self.get_context_data(form=form)
        response: HttpResponse = self.render_to_response(ctx, status=status)
        return response

    def get_context_data(self, **told: Any) -> dict[str, Any]:
        ctx: dict[str, Any] = super().get_context_data(**told)
        # An address that leads elsewhere is not even taken along.
        ctx["redirect_field_value"] = get_next_redirect_url(self.request)
        return ctx | {"provider": settings.OIDC_ISSUER and settings.OIDC_NAME}


class SecondFactor(AuthenticateView):  # type: ignore[misc]
    """The page between the password and the rest: a code of an app, or a recovery code."""

    def form_invalid(self, form: Any) -> HttpResponse:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.has_error("code", "too_many_login_attempts"):
            status = HTTPStatus.TOO_MANY_REQUESTS
        response: HttpResponse = self.render_to_response(self.get_context_data(), status=status)
        return response


@method_decorator(own, name="dispatch")
class SignOut(views.LogoutView):
    """Ends the session; posted, so that no link can do it."""


@login_not_required
@require_safe
def single_sign_on(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Leads to the identity provider, which leads back to `single_sign_on_done`."""
    return _of_provider(openid_connect.login, request, provider_id)


@login_not_required
@require_safe
def single_sign_on_done(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Where the identity provider leads back to, with what it says of the reader."""
    return _of_provider(openid_connect.callback, request, provider_id)


def _of_provider(
    ask: Callable[[HttpRequest, str], HttpResponse], request: HttpRequest, provider_id: str
) -> HttpResponse:
    if not settings.OIDC_ISSUER:
        raise Http404(_("No identity provider is configured here (OIDC_ISSUER)."))
    try:
        return ask(request, provider_id)
    except RequestException:
        return render(request, "account/provider_away.html", _named(), status=504)


@login_not_required
@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    """The identity provider, or the reader there, said no."""
    return render(request, "socialaccount/authentication_error.html", _named(), status=401)


@login_not_required
@require_safe
def switched_off(request: HttpRequest) -> HttpResponse:
    """Somebody whom an admin has switched off."""
    return render(request, "account/switched_off.html", status=403)


def _named() -> dict[str, Any]:
    return {"provider": settings.OIDC_NAME}
