"""Who asks: whoever bears a token, or reads in the browser in which they are signed in."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import AuthenticationError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.throttling import BaseThrottle

from dashboard import operations
from dashboard.models import ApiToken, User, Workflow, access_of
from dashboard.signing_in import factor

HOW = "Send the header “Authorization: Bearer …” with a token that was made at /tokens/."
READS = {"GET", "HEAD"}


class Token(HttpBearer):
    """A token of ours. One that opens nothing is told why, and no session stands in for it."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        known, now = ApiToken.objects.of_secret(token.strip()), timezone.now()
        if known is None:
            raise AuthenticationError(message=f"There is no such token. {HOW}")
        if why_not := known.why_closed(now):
            raise AuthenticationError(message=why_not)
        known.note_use(now)
        request.user = known.acting_user()
        return asking(request)


class Session(APIKeyCookie):
    """Somebody who is signed in may read; what changes anything takes a token."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> User:
        if request.method not in READS:
            raise AuthenticationError(message=HOW)
        user = asking(request)
        if factor.is_missing(request, access_of(user)):
            raise PermissionDenied("Add a second factor first, on the page of your account.")
        return user


class Expensive(BaseThrottle):
    """What asks Cloudflare, or changes something: a token may so often in a minute."""

    def allow_request(self, request: HttpRequest) -> bool:
        token = asking(request).token
        return token is None or token.take_call(timezone.now())

    def wait(self) -> float:
        return 60 - timezone.now().second


def asking(request: HttpRequest) -> User:
    """The user in whose name it is asked."""
    if not isinstance(request.user, User):
        raise AuthenticationError(message=HOW)
    return request.user


def asking_about_all(request: HttpRequest) -> User:
    """The same, where the answer is about all workflows; raises PermissionDenied."""
    user = asking(request)
    if not access_of(user).sees_all:
        raise PermissionDenied("This is about all workflows, and you may see only some of them.")
    return user


def acting(request: HttpRequest, workflow: Workflow | None = None) -> User:
    """The same, where something is to be done, of this workflow or of any; raises PermissionDenied
    with the reason."""
    user = asking(request)
    if why_not := operations.refusal_for_user(user, workflow):
        raise PermissionDenied(why_not)
    return user
