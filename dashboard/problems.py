"""How the API says that something cannot be: one form for all of it, that of RFC 9457."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from dashboard.logs import DATABASE_AWAY

CONTENT_TYPE = "application/problem+json"
#: Where every answer is JSON, also one that says what is wrong.
API = "/api/v1/"
DATABASE_GONE = "The database does not answer. Nothing was changed; ask again in a moment."
BROKEN = "This is a mistake of the dashboard; its log says which. What was asked may be half done."


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, which reads no page."""
    return request.path.startswith(API)


def problem(
    status: int,
    detail: str,
    *,
    mistakes: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The answer for what cannot be: `detail` is a sentence, and `mistakes` name what does not fit
    by where it stands, each with a sentence."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "errors": [{"where": where, "sentence": sentence} for where, sentence in mistakes],
    }
    told = {"Cache-Control": "private, no-store"} | dict(headers or {})
    return HttpResponse(json.dumps(document), CONTENT_TYPE, int(status), headers=told)


def failed(error: BaseException | None) -> HttpResponse:
    """What is said where something of ours is away or broken."""
    if isinstance(error, DATABASE_AWAY):
        return problem(503, DATABASE_GONE, headers={"Retry-After": "5"})
    return problem(500, BROKEN)
