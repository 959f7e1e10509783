from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from dashboard.models import Role, User
from dashboard.models.grant import note_change
from dashboard.models.sealed_text import seal, unseal
from dashboard.models.storing import storable_json, word

#: What is said of what was done, by the name that allauth has for it.
SENTENCES = {
    "account/messages/password_changed.txt": gettext_noop(
        "Your password is changed; other sessions have ended."
    ),
    "mfa/messages/totp_activated.txt": gettext_noop("The app is added. Keep these recovery codes."),
    "mfa/messages/totp_deactivated.txt": gettext_noop(
        "The app is removed: your password alone lets you in."
    ),
    "mfa/messages/recovery_codes_generated.txt": gettext_noop(
        "These are new; older ones do not hold any more."
    ),
    "usersessions/messages/sessions_logged_out.txt": gettext_noop(
        "All your other sessions have ended."
    ),
}
#: More groups, or longer names, are not kept.
MOST_GROUPS = 500
LONGEST_NAME = 200


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Users of this dashboard: made by an admin or a shell, never by themselves."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": (
            gettext_lazy("This name and password do not belong together. Mind capital letters.")
        ),
        "too_many_login_attempts": (
            gettext_lazy(
                "Too many attempts have failed. Wait five minutes, then try again; "
                "nobody can sign in under this name, or from your address, before."
            )
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(
        self, request: HttpRequest, level: int, message_template: str = "", *_: Any, **__: Any
    ) -> None:
        """In our words; what a page shows anyway is not said again."""
        if sentence := SENTENCES.get(message_template):
            messages.add_message(request, level, gettext(sentence))

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is mailed: there are no addresses."""


class SecondFactor(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps are sealed: a copy of the database alone opens nothing."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not right. A code of an app holds for half a minute."
        ),
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """People whom the identity provider vouches for. Their groups are kept at each sign-in."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """A group that was left is left from this sign-in on."""
        account = sociallogin.account
        account.extra_data = storable_json(account.extra_data)
        user, groups = sociallogin.user, groups_told(account.extra_data)
        sociallogin.email_addresses = []
        if not sociallogin.is_existing:
            user.role, user.told_groups = Role.NONE, groups
        elif user.told_groups != groups:
            with transaction.atomic():
                User.objects.filter(pk=user.pk).update(told_groups=groups)
                _note(user, groups)
            user.told_groups = groups

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        sociallogin.user.email = ""
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            _note(user, user.told_groups)
        return user


def groups_told(data: dict[str, Any]) -> list[str]:
    """The groups in what the provider told: of the user, else in the token; none where the claim
    holds no list of texts."""
    for part in (data.get("userinfo"), data.get("id_token")):
        told = part.get(settings.OIDC_GROUPS_CLAIM) if isinstance(part, dict) else None
        if isinstance(told, str):
            told = [told]
        if isinstance(told, list):
            names = {word(name)[:LONGEST_NAME] for name in told if isinstance(name, str) and name}
            return sorted(names)[:MOST_GROUPS]
    return []


def _note(user: User, groups: list[str]) -> None:
    words = f"Signed in by {settings.OIDC_NAME}, in the groups: {', '.join(groups) or 'none'}."
    note_change(user.username, words, by=None, now=timezone.now())
