from __future__ import annotations

from django.contrib.auth import views


class SignIn(views.LoginView):
    """The sign-in page; a reader who followed a link comes back to it afterwards."""

    template_name = "sign_in.html"
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    """Ends the session; posted, so that no link can do it."""
