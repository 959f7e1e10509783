"""GraphQL's envelope, `{data, errors}`: another one than that of the rest of the API.

A failure often comes with HTTP 200 and never with a number, so that its words have to tell
(<https://developers.cloudflare.com/analytics/graphql-api/errors/>).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dashboard.cloudflare import responses, values
from dashboard.cloudflare.answers import Answer
from dashboard.cloudflare.errors import (
    CloudflareError,
    Failed,
    Invalid,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
    Unsupported,
)
from dashboard.cloudflare.responses import Request
from dashboard.cloudflare.types import Json

#: The wait that Cloudflare's own words ask for, where no header says another.
DEPLETED_SECONDS = 300.0


def data(answer: Answer, request: Request) -> Json:
    """The `data` of an answer; raises the failure it means, also one that came with HTTP 200."""
    if answer.http_status != 200 or values.items(answer.envelope.get("errors")):
        raise _failure(answer, request)
    found = answer.envelope.get("data")
    if not isinstance(found, dict):
        raise UnexpectedResponse(
            f"{request.title} answered a query without its data. {request.advice}",
            http_status=answer.http_status,
        )
    return found


def lacks_permission(request: Request) -> Unauthorized:
    """The token is good, and may not read this account's analytics."""
    return Unauthorized(f"the {request.credentials_kind} lacks {request.permission}.")


def _failure(answer: Answer, request: Request) -> CloudflareError:
    words = answer.error[1]
    build = next((build for pattern, build in WORDS if pattern.search(words)), None)
    if build is None and answer.http_status != 200:
        return responses.failure(answer, request)
    error = (build or _failed)(request.redact(" ".join(words.split()))[:200], request)
    error.http_status = answer.http_status
    error.ray = answer.ray
    if isinstance(error, RateLimited) and answer.retry_after is not None:
        error.retry_after = answer.retry_after
    return error


def _failed(words: str, request: Request) -> Failed:
    return Failed(f"{request.title} failed to answer a query: {words}. {request.advice}")


def _invalid(words: str, request: Request) -> Invalid:
    return Invalid(f"{request.title} refused a query: {words}.")


def _unsupported(words: str, request: Request) -> Unsupported:
    return Unsupported(f"{request.title} does not have these data: {words}.")


def _unauthorized(_words: str, request: Request) -> Unauthorized:
    return lacks_permission(request)


def _rate_limited(_words: str, request: Request) -> RateLimited:
    error = RateLimited(f"{request.title} accepts no more queries for now. Wait 5 minutes.")
    error.retry_after = DEPLETED_SECONDS
    return error


Build = Callable[[str, Request], CloudflareError]
#: Cloudflare's words for it, tried in this order.
WORDS: tuple[tuple[re.Pattern[str], Build], ...] = tuple(
    (re.compile(words, re.IGNORECASE), build)
    for words, build in (
        (r"budget depleted|rate limit|excessive resources", _rate_limited),
        (r"(not|n't) authorized|does not have access", _unauthorized),
        (r"unknown (field|arg|enum|type)|cannot query field|not available for", _unsupported),
        (r"cannot request|error parsing|syntax|must be|cannot be more", _invalid),
    )
)
