"""Sessions that end: some time after they began, and earlier when nobody uses them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

BEGAN, USED = "began_at", "used_at"
#: That a session is used is written down once in so many seconds.
NOTED_EVERY = 600


@receiver(user_logged_in)
def begin(sender: object, request: HttpRequest, **_: Any) -> None:
    """A session begins with its sign-in, whatever it held before."""
    request.session[BEGAN] = request.session[USED] = time.time()


class Sessions:
    """Ends what has lasted too long, before it shows anything. Asks nothing for a page that does
    not ask who reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        request.user = SimpleLazyObject(lambda: _reader(request, user))  # type: ignore[assignment]
        return self.get_response(request)


def is_use(request: HttpRequest) -> bool:
    """A page that refreshes itself does not use a session: somebody has to open a page, or send a
    form."""
    return request.method == "POST" or "HX-Request" not in request.headers


def is_over(began: float, used: float, now: float) -> bool:
    """By the settings; an idle limit of 0 is none."""
    idle = settings.SESSION_IDLE_AGE
    return now - began > settings.SESSION_COOKIE_AGE or bool(idle and now - used > idle)


def _reader(request: HttpRequest, user: Any) -> Any:
    if not user.is_authenticated:
        return user
    now, session = time.time(), request.session
    began = session.get(BEGAN, 0)
    is_ended = user.signed_out_at is not None and began < user.signed_out_at.timestamp()
    if is_ended or is_over(began, session.get(USED, 0), now):
        session.flush()
        return AnonymousUser()
    if now - session[USED] > NOTED_EVERY and is_use(request):
        session[USED] = int(now)
    return user
