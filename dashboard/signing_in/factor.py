"""Who has to have a second factor, and has none yet."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from dashboard.models import Access, User
from dashboard.models.grant import note_change

#: By what a session was signed in, as allauth writes it down.
METHODS = "account_authentication_methods"
#: What is as good as a second factor of ours: the identity provider has its own.
ENOUGH = {"mfa", "socialaccount"}
HAS_ONE = "has_second_factor"


def is_missing(request: HttpRequest, access: Access) -> bool:
    """Whether nothing is to be shown to this reader before they have added one."""
    if not is_required(access) or request.session.get(HAS_ONE):
        return False
    records = request.session.get(METHODS, [])
    if not any(one.get("method") in ENOUGH for one in records) and not is_mfa_enabled(access.user):
        return True
    request.session[HAS_ONE] = True
    return False


def is_required(access: Access) -> bool:
    """By what SECOND_FACTOR_FOR says of their role."""
    return {
        "nobody": False,
        "admins": access.is_admin,
        "operators": settings.SECOND_FACTOR_FOR == "operators" and access.operates,
        "everybody": True,
    }[settings.SECOND_FACTOR_FOR]


def has_one(user: User) -> bool:
    return bool(is_mfa_enabled(user))


@transaction.atomic
def remove(user: User, *, by: User, now: datetime) -> None:
    """Forgets somebody's app and codes: they sign in by the password alone."""
    Authenticator.objects.filter(user=user).delete()
    note_change(user.username, "Second factor removed.", by=by, now=now)
