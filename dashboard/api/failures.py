"""Whatever is raised, as a problem with a sentence and a true status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja.errors import HttpError, Throttled, ValidationError

from dashboard.cloudflare.errors import CloudflareError, RateLimited
from dashboard.problems import failed, problem
from dashboard.views.answers import status_of

logger = logging.getLogger(__name__)

NOT_FITTING = "What was sent does not fit; `errors` says where and why."
TOO_OFTEN = "This token has asked too often in this minute; Retry-After says when it may again."
TOO_BIG = "More was sent than this dashboard takes at once, which is 8 MiB."


class Misfit(Exception):
    """What was asked for does not fit: a sentence, and what is wrong by where it stands."""

    def __init__(self, detail: str = NOT_FITTING, mistakes: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.detail, self.mistakes = detail, list(mistakes)

    @classmethod
    def of(cls, form: forms.Form, **names: str) -> Misfit:
        """What a form says of its fields, by the names that the API has for them."""
        told = form.errors.items()
        return cls(
            mistakes=[
                (names.get(field, field), str(text)) for field, texts in told for text in texts
            ]
        )


class Refused(Exception):
    """It fits, but cannot be as things stand now."""


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """What is said of it."""
    for kind, write in ANSWERS:
        if isinstance(error, kind):
            return write(error)
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return failed(error)


def _http(error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, forms.ValidationError):  # Of a body that is no JSON.
        return problem(422, NOT_FITTING, mistakes=[("body", error.__cause__.messages[0])])
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if error.status_code == 401 else {}
    return problem(error.status_code, str(error), headers=headers)


def _validation(error: ValidationError) -> HttpResponse:
    mistakes = [
        (".".join(str(part) for part in one["loc"]), _sentence(one["msg"])) for one in error.errors
    ]
    return problem(422, NOT_FITTING, mistakes=mistakes)


def _misfits(sentences: list[str]) -> HttpResponse:
    return problem(422, NOT_FITTING, mistakes=[("", text) for text in sentences])


def _sentence(text: str) -> str:
    return f"{text.removeprefix('Value error, ').rstrip('.')}."


def _cloudflare(error: CloudflareError) -> HttpResponse:
    headers = {}
    if isinstance(error, RateLimited) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return problem(status_of(error), str(error), headers=headers)


def _told(status: int, otherwise: str) -> Callable[[Any], HttpResponse]:
    """Says what was raised for people to read; a URL that leads nowhere has nothing to say."""

    def write(error: Exception) -> HttpResponse:
        [first, *_] = error.args or ("",)
        return problem(status, first if first and isinstance(first, str) else otherwise)

    return write


ANSWERS: tuple[tuple[type[Exception], Callable[[Any], HttpResponse]], ...] = (
    (Throttled, lambda _: problem(429, TOO_OFTEN)),
    (HttpError, _http),
    (ValidationError, _validation),
    (forms.ValidationError, lambda error: _misfits(error.messages)),
    (Misfit, lambda error: problem(422, error.detail, mistakes=error.mistakes)),
    (Refused, _told(409, "This cannot be as things stand now.")),
    (CloudflareError, _cloudflare),
    (PermissionDenied, _told(403, "You may not do this.")),
    (Http404, _told(404, "There is nothing here.")),
    (RequestDataTooBig, lambda _: problem(413, TOO_BIG)),
    (UnreadablePostError, lambda _: problem(400, "What was sent broke off.")),
    (BadRequest, _told(400, "This cannot be read.")),
)
