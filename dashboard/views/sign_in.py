from __future__ import annotations

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Says in one sentence what did not fit, and not which of the two it was."""

    error_messages = {
        "invalid_login": "This name and password do not belong together. Mind capital letters.",
        "inactive": "This account is switched off. Ask an admin.",
    }


class SignIn(views.LoginView):
    """The sign-in page; a reader who followed a link comes back to it afterwards."""

    template_name = "sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """Ends the session; posted, so that no link can do it."""
