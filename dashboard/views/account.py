"""What somebody does with their own account: the second factor, the password, their sessions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.account.views import PasswordChangeView, ReauthenticateView
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.usersessions.views import ListUserSessionsView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard.views.guards import own


class SaysWhatIsWrong:
    """A form that does not fit comes back with a true status code."""

    def form_invalid(self, form: Any) -> HttpResponse:
        page: Any = self  # One of allauth's views, which have no types.
        ctx, status = page.get_context_data(form=form), HTTPStatus.UNPROCESSABLE_ENTITY
        response: HttpResponse = page.render_to_response(ctx, status=status)
        return response


class Password(SaysWhatIsWrong, PasswordChangeView):  # type: ignore[misc]
    pass


class ByPassword(SaysWhatIsWrong, ReauthenticateView):  # type: ignore[misc]
    """Asks for the password again before something that matters."""


class ByCode(SaysWhatIsWrong, mfa.ReauthenticateView):  # type: ignore[misc]
    """The same with a code."""


class AddApp(SaysWhatIsWrong, totp.ActivateTOTPView):  # type: ignore[misc]
    pass


class RemoveApp(SaysWhatIsWrong, totp.DeactivateTOTPView):  # type: ignore[misc]
    pass


@own
@require_safe
def without_password(request: HttpRequest) -> HttpResponse:
    """Who signs in by the identity provider has none, and gets none here: it would go around it."""
    raise PermissionDenied(_("You sign in by the identity provider, so you have no password here."))


second_factor = own(mfa.IndexView.as_view())
add_app = own(AddApp.as_view())
remove_app = own(RemoveApp.as_view())
recovery_codes_shown = own(recovery_codes.ViewRecoveryCodesView.as_view())
recovery_codes_made = own(recovery_codes.GenerateRecoveryCodesView.as_view())
password = own(Password.as_view())
by_password = own(ByPassword.as_view())
by_code = own(ByCode.as_view())
sessions = own(ListUserSessionsView.as_view())
