from __future__ import annotations

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpResponse
from django.utils.decorators import method_decorator

from dashboard.views.guards import own


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

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The form again, with what did not fit; not as if nothing had been wrong."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


@method_decorator(own, name="dispatch")
class SignOut(views.LogoutView):
    """Ends the session; posted, so that no link can do it."""
