"""One request over one pooled connection: secret, timeouts, size, retries, log line.

GETs and queries are tried again with growing, jittered pauses (stamina); writes are sent once,
always. What
goes wrong on the way is told by `trouble.py`.
"""

from __future__ import annotations

import copy
import functools
import ipaddress
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
import stamina

from dashboard.cloudflare import responses, trouble
from dashboard.cloudflare.answers import Answer, rate_limit
from dashboard.cloudflare.budget import CLOSED_SECONDS, Gate, Lane, Spender
from dashboard.cloudflare.credentials import Credentials, CredentialsAuth
from dashboard.cloudflare.errors import (
    BudgetSpent,
    CloudflareError,
    Failed,
    Invalid,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
    Unreachable,
)
from dashboard.cloudflare.targets import Target
from dashboard.cloudflare.types import RateLimit

logger = logging.getLogger("dashboard.cloudflare")

T = TypeVar("T")
Params = Mapping[str, str | int]

USER_AGENT = "workflows-dashboard/0.1.0"
CONNECT_SECONDS = 5.0
#: A body that drips for longer than this many read timeouts is given up.
BODY_TIMEOUTS = 6
LARGEST_BODY = 64 * 1024 * 1024
#: Longer pauses than this are the caller's business: a page or a worker must not hang on them.
LONGEST_PAUSE = 5.0
#: Where no new try begins any more, however many are left.
RETRY_SECONDS = 45.0
#: "No body", where None would be the JSON null.
NO_BODY: Any = object()


@dataclass
class Tally:
    """What all lanes of one transport have sent, and what they heard of the limit last."""

    requests: int = 0
    rate_limit: RateLimit | None = None


class Transport:
    """The way to one target with one secret. Threads may share it, as they may an httpx.Client."""

    def __init__(
        self,
        base_url: str,
        target: Target,
        account_id: str,
        credentials: Credentials,
        *,
        timeout: float,
        tries: int,
        gate: Gate | None,
    ) -> None:
        self.tally = Tally()
        self.lane = Lane.PERSON
        self.spender = Spender.WEB
        self._gate = gate
        self._base_url = base_url
        self._target = target
        self._account_id = account_id
        self._credentials = credentials
        self._timeout = timeout
        self._tries = tries
        self._http = httpx.Client(
            auth=CredentialsAuth(credentials) if target.needs_token else None,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)),
            follow_redirects=False,
            verify=_tls(),
            # A company's proxy is wanted on the way to Cloudflare, never to this machine.
            trust_env=not _is_loopback(base_url),
        )

    def close(self) -> None:
        self._http.close()

    def in_lane(self, lane: Lane, spender: Spender) -> Transport:
        """The same connections in another lane."""
        other = copy.copy(self)
        other.lane, other.spender = lane, spender
        return other

    def get(
        self, path: str, params: Params | None = None, *, keep: Callable[[Any], bool] | None = None
    ) -> responses.Result:
        """The result at `path`; `keep` as in `responses.read`. Tried again when that may help."""
        request = self.request("GET")

        def once() -> responses.Result:
            answer = self._read(self._open(request, path, params, b""), request)
            return responses.read(answer, request, keep=keep)

        return self._retry(once)

    def send(
        self,
        method: str,
        path: str,
        body: Any = NO_BODY,
        *,
        params: Params | None = None,
        may_be_empty: bool = False,
    ) -> responses.Result:
        """The result of a write, which is sent once."""
        request = self.request(method)
        answer = self._read(self._open(request, path, params, _encode(body)), request)
        return responses.read(answer, request, may_be_empty=may_be_empty)

    def query(self, path: str, body: Any, read: Callable[[Answer, responses.Request], T]) -> T:
        """What `read` finds in the answer to a POST that only asks. Tried again as a GET is."""
        request = replace(self.request("POST"), is_query=True)

        def once() -> T:
            return read(
                self._read(self._open(request, path, None, _encode(body)), request), request
            )

        return self._retry(once)

    def get_stream(self, path: str, params: Params) -> httpx.Response | responses.Result:
        """Raw bytes as an open response, which the caller closes, or else a JSON result."""
        request = self.request("GET")

        def once() -> httpx.Response | responses.Result:
            response = self._open(request, path, params, b"")
            if response.status_code == 200 and _is_binary(response):
                return response
            return responses.read(self._read(response, request), request)

        return self._retry(once)

    def _retry(self, once: Callable[[], T]) -> T:
        """What `once` gives, which is asked again where that may help.

        The first try stands before the retries are set up, which few requests need.
        """
        try:
            return once()
        except CloudflareError as error:
            failure: CloudflareError | None = error
        for attempt in stamina.retry_context(
            on=_pause_before_retry,
            attempts=self._tries,
            timeout=RETRY_SECONDS,
            wait_initial=0.2,
            wait_max=3.0,
            wait_jitter=0.5,
        ):
            with attempt:
                if failure is not None:
                    first, failure = failure, None
                    raise first
                return once()
        raise AssertionError("stamina ends with a result or an error")

    def request(self, method: str) -> responses.Request:
        """What messages need to know of a request."""
        return responses.Request(
            title=self._target.title,
            method=method,
            account_id=self._account_id,
            credentials_kind=self._credentials.kind,
            redact=self._credentials.redact,
        )

    def _open(
        self, request: responses.Request, path: str, params: Params | None, content: bytes
    ) -> httpx.Response:
        """Send, and wait for the headers of the answer."""
        if self._target.needs_token and self._credentials.is_empty:
            message = (
                f"There is no {self._target.title} token for this account. Set it in the "
                "environment, or name a file there that holds it."
            )
            raise Unauthorized(message, was_sent=False)
        if self._gate:
            self._gate.spend(self.lane, self.spender)
        self.tally.requests += 1
        started, outcome = time.monotonic(), "no answer"
        try:
            with trouble.told(request):
                built = self._http.build_request(
                    request.method,
                    self._base_url + path + _query(params),
                    content=content or None,
                    headers={"Content-Type": "application/json"} if content else None,
                )
                response = self._http.send(built, stream=True)
            outcome = str(response.status_code)
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            logger.debug("%s %s %s %.0f ms", request.method, path, outcome, milliseconds)
        if not request.is_query:  # The analytics have a limit of their own.
            self._hear(response)
        return response

    def _hear(self, response: httpx.Response) -> None:
        """Pass on what the answer says of the limit."""
        limit = rate_limit(response.headers)
        self.tally.rate_limit = limit or self.tally.rate_limit
        if self._gate is None:
            return
        closed_for = None
        if response.status_code == 429:
            wait = Answer(response.status_code, response.headers, b"").retry_after
            closed_for = CLOSED_SECONDS if wait is None else wait
        self._gate.told(limit, closed_for=closed_for)

    def _read(self, response: httpx.Response, request: responses.Request) -> Answer:
        """The whole body, within bounds of size and time."""
        deadline = time.monotonic() + self._timeout * BODY_TIMEOUTS
        body = bytearray()
        with trouble.told(request), closing(response):
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise UnexpectedResponse(
                        f"{request.title} answered with more than {LARGEST_BODY >> 20} MiB, which "
                        "was not read to its end.",
                        http_status=response.status_code,
                    )
                if time.monotonic() > deadline:
                    raise Unreachable(
                        f"{request.title} began to answer but did not finish in time. "
                        f"{request.advice}"
                    )
        return Answer(response.status_code, response.headers, bytes(body))


def _pause_before_retry(error: Exception) -> bool | float:
    """Whether a GET is worth another try, or the seconds to wait before it."""
    if isinstance(error, BudgetSpent):
        return False  # The gate has waited already.
    if isinstance(error, RateLimited):
        wait = error.retry_after
        return wait if wait is not None and wait <= LONGEST_PAUSE else False
    if isinstance(error, Failed):
        # A challenge or a block page of the edge (4xx) stays what it is.
        return error.http_status is None or not 400 <= error.http_status < 500
    return isinstance(error, Unreachable)


def _query(params: Params | None) -> str:
    """As part of the address: httpx takes ten times as long to put it there."""
    return f"?{urlencode(params, quote_via=quote)}" if params else ""


def _encode(body: Any) -> bytes:
    if body is NO_BODY:
        return b""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        message = "This cannot be written as JSON, so nothing was sent."
        raise Invalid(message, was_sent=False) from error


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 30 ms, so all clients of a process share them."""
    return httpx.create_ssl_context()


def _is_binary(response: httpx.Response) -> bool:
    content_type: str = response.headers.get("content-type", "")
    return content_type.lower().startswith("application/octet-stream")


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
