"""From an answer to a result, or to the one failure it means.

Cloudflare's code decides first, then words it is known for, then the HTTP status, then the body
(the codes: <https://developers.cloudflare.com/workflows/>, wrangler and the local engine's source).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard.cloudflare.answers import Answer
from dashboard.cloudflare.errors import (
    CloudflareError,
    Conflict,
    Failed,
    Invalid,
    NotFound,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
)
from dashboard.cloudflare.types import Json

#: Wrong or missing token, or one without the permission.
UNAUTHORIZED_CODES = {1000, 1001, 6003, 6103, 6111, 9109, 9106, 10000}
NOT_FOUND_CODES = {10200: "workflow", 10201: "instance", 10300: "version", 10400: "instance"}
CONFLICT_CODES = {10401: "cannot_terminate", 10405: "already_exists", 10415: "duplicate_in_batch"}
CONFLICT_REASONS = {
    "cannot_terminate": "The instance has finished already, so it cannot be terminated",
    "already_exists": "An instance with this id exists already",
    "duplicate_in_batch": "The same id stands twice in this batch",
}
#: No such route (a wrong account id); a body that cannot be read; dates the wrong way round.
INVALID_CODES = {7003, 10002, 10502}

#: The local engine says all of these under 10001; the identifiers are Cloudflare's own.
CONFLICT_WORDS = re.compile(r"\binstance\.(cannot_\w+|already_\w+|duplicate_in_batch)")
NOT_FOUND_WORDS = re.compile(
    r"\b(workflow|version|instance)\.not_found|^Workflow (instance )?'.*' not found"
)
INVALID_WORDS = re.compile(r"has invalid id")


@dataclass(frozen=True)
class Result:
    """What an operation gave: `value`, with `info` of its page and Cloudflare's clock."""

    value: Any
    info: Json
    date: datetime | None
    warning: str = ""


@dataclass(frozen=True)
class Request:
    """What the messages need to know of the request: who was asked, as whom, for what.

    `is_query`: a GraphQL query of the analytics, a POST that only reads.
    """

    title: str
    method: str
    account_id: str
    credentials_kind: str
    redact: Callable[[str], str]
    is_query: bool = False

    @property
    def is_write(self) -> bool:
        return self.method != "GET" and not self.is_query

    @property
    def permission(self) -> str:
        """What a token needs for it, as Cloudflare's page of permissions spells it."""
        if self.is_query:
            return "Account Analytics: Read"
        return "Workers Scripts: Edit" if self.is_write else "Workers Scripts: Read"

    @property
    def advice(self) -> str:
        """What to do after a failure that leaves open whether a write happened."""
        if self.is_write:
            return "It may have happened all the same: look at the instance before you try again."
        return "Try again in a moment."


def read(
    answer: Answer,
    request: Request,
    *,
    keep: Callable[[Any], bool] | None = None,
    may_be_empty: bool = False,
) -> Result:
    """The result of an answer.

    Raises the failure it means; an empty 204 is one unless it `may_be_empty`. A result that `keep`
    accepts is returned with a `warning` even when the envelope says `success: false`: Cloudflare
    was seen to send a complete one so.
    """
    if may_be_empty and answer.http_status in (204, 205):
        return Result(None, {}, answer.date)
    value = answer.envelope.get("result")
    warning = ""
    if not (answer.is_success and answer.is_envelope):
        error = failure(answer, request)
        if not (keep and keep(value)):
            raise error
        warning = str(error)
    info = answer.envelope.get("result_info")
    return Result(value, info if isinstance(info, dict) else {}, answer.date, warning)


def as_object(result: Result, request: Request) -> Json:
    """The result as a JSON object; raises `UnexpectedResponse` when it is none."""
    if isinstance(result.value, dict):
        return result.value
    raise _no_result(request)


def as_rows(result: Result, request: Request) -> list[Any]:
    """The result as an array; null is an empty one. Raises `UnexpectedResponse` for the rest."""
    if result.value is None or isinstance(result.value, list):
        return result.value or []
    raise _no_result(request)


def _no_result(request: Request) -> UnexpectedResponse:
    return UnexpectedResponse(
        f"{request.title} answered without the result that belongs here. {request.advice}",
        http_status=200,
    )


def failure(answer: Answer, request: Request) -> CloudflareError:
    """The failure an answer means. Its texts are free of the token, whatever the server echoes."""
    build = next(build for is_meant, build in RULES if is_meant(answer))
    error = build(answer, request)
    error.code = answer.error[0]
    error.http_status = answer.http_status
    error.ray = answer.ray
    if isinstance(error, Failed | UnexpectedResponse):
        error.excerpt = request.redact(answer.excerpt)
    return error


def _rate_limited(answer: Answer, request: Request) -> RateLimited:
    seconds = answer.retry_after
    wait = "a few minutes" if seconds is None else f"{seconds:.0f} s"
    error = RateLimited(f"{request.title} accepts no more requests for now. Wait {wait}.")
    error.retry_after = seconds
    return error


def _unauthorized(answer: Answer, request: Request) -> Unauthorized:
    account = f" for the account {request.account_id}" if request.account_id else ""
    return Unauthorized(
        f"{request.title} refused the {request.credentials_kind} ({_number(answer)}). It is wrong "
        f"or expired, or it lacks the permission {request.permission}{account}."
    )


def _not_found(answer: Answer, request: Request) -> NotFound:
    code, words = answer.error
    what = NOT_FOUND_CODES.get(code or 0, "")
    if not what and (match := NOT_FOUND_WORDS.search(words)):
        what = match[1] or ("instance" if match[2] else "workflow")
    why = {
        "workflow": "It was deleted, or its name is another (the script's name is not it).",
        "version": "Its workflow was deployed anew or deleted.",
        "instance": "It was deleted, or its retention has ended.",
    }.get(what, "It may have been deleted.")
    name = f"such {what}" if what else "such thing"
    error = NotFound(f"{request.title} has no {name} ({_number(answer)}). {why}")
    error.what = what
    return error


def _conflict(answer: Answer, request: Request) -> Conflict:
    code, words = answer.error
    match = CONFLICT_WORDS.search(words)
    identifier = match[1] if match else CONFLICT_CODES.get(code or 0, "")
    if reason := CONFLICT_REASONS.get(identifier):
        return Conflict(f"{reason} ({_number(answer)}).")
    return Conflict(_sentence(f"{request.title} refused this as things stand", answer, request))


def _invalid(answer: Answer, request: Request) -> Invalid:
    if answer.error[0] == 7003:
        return Invalid(f"{request.title} does not know this address (7003). Check the account id.")
    return Invalid(_sentence(f"{request.title} refused what was sent", answer, request))


def _failed(answer: Answer, request: Request) -> Failed:
    if answer.is_challenge:
        return Failed(
            f"{request.title} asked for a browser challenge instead of answering "
            f"({answer.http_status}). Ask the account's administrator to let this server's "
            "address through to the API."
        )
    return Failed(
        _sentence(f"{request.title} failed to answer", answer, request) + f" {request.advice}"
    )


def _wrong_host(answer: Answer, request: Request) -> Invalid:
    return Invalid(
        f"{request.title} answers only to the names localhost and 127.0.0.1 "
        f"({answer.http_status}): use one of them in the base URL."
    )


def _unreadable(answer: Answer, request: Request) -> UnexpectedResponse:
    if 300 <= answer.http_status < 400:
        what = "redirected us to another address, which is not followed. Check the base URL."
    elif not answer.body:
        what = f"answered with nothing where a result belongs. {request.advice}"
    elif answer.http_status == 404:
        what = "has no such address. Check the base URL."
    elif answer.http_status >= 400:
        what = f'refused this: "{request.redact(answer.excerpt)}".'
    else:
        what = "answered with something that is not its JSON. Check the base URL. " + request.advice
    return UnexpectedResponse(f"{request.title} ({answer.http_status}) {what}")


def _sentence(beginning: str, answer: Answer, request: Request) -> str:
    words = request.redact(" ".join(answer.error[1].split()))[:200].rstrip(".")
    return f"{beginning} ({_number(answer)}){': ' + words if words else ''}."


def _number(answer: Answer) -> int:
    return answer.http_status if answer.error[0] is None else answer.error[0]


def _says_unauthorized(answer: Answer) -> bool:
    # The local engine says 10000 for a crash of its own, with a 500.
    return answer.error[0] in UNAUTHORIZED_CODES and answer.http_status < 500


def _says_failed(answer: Answer) -> bool:
    # The local engine says 10001 for wrong input too, with a 400.
    code, words = answer.error
    is_ours = 400 <= answer.http_status < 500
    return code == 10001 and (not is_ours or "internal" in words)


#: Tried in this order: code, words, HTTP status, body.
RULES: tuple[tuple[Callable[[Answer], bool], Callable[[Answer, Request], CloudflareError]], ...] = (
    (lambda answer: answer.http_status == 429, _rate_limited),
    (_says_unauthorized, _unauthorized),
    (lambda answer: answer.error[0] in NOT_FOUND_CODES, _not_found),
    (lambda answer: answer.error[0] in CONFLICT_CODES, _conflict),
    (lambda answer: answer.error[0] in INVALID_CODES, _invalid),
    (lambda answer: bool(CONFLICT_WORDS.search(answer.error[1])), _conflict),
    (lambda answer: bool(NOT_FOUND_WORDS.search(answer.error[1])), _not_found),
    (lambda answer: bool(INVALID_WORDS.search(answer.error[1])), _invalid),
    (_says_failed, _failed),
    (lambda answer: 300 <= answer.http_status < 400, _unreadable),
    (lambda answer: answer.is_challenge, _failed),
    (lambda answer: answer.http_status == 401, _unauthorized),
    (lambda answer: answer.is_html or answer.http_status >= 500, _failed),
    (lambda answer: answer.http_status == 408, _failed),
    (lambda answer: answer.body.startswith((b"Invalid Host", b"Invalid Origin")), _wrong_host),
    (lambda answer: not answer.is_envelope, _unreadable),
    (lambda answer: answer.http_status == 403, _unauthorized),
    (lambda answer: answer.http_status == 404, _not_found),
    (lambda answer: answer.http_status == 409, _conflict),
    (lambda answer: 400 <= answer.http_status < 500, _invalid),
    (lambda answer: True, _failed),
)
