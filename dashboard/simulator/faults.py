"""Faults that can be asked for, so that clients meet them before Cloudflare shows them.

Ask with `POST /_simulator/faults` and a body such as `{"kind": "html", "status": 502, "times": 2,
"method": "GET", "path": "/instances$"}`, or with `Faults.add`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from .errors import Refusal, bad_query
from .mangling import MANGLERS
from .messages import Request, Response, refuse

DELIVERIES = ("reset", "cut-off", "slow-headers", "slow-body")
REPLACING = (
    "rate-limited",
    "error-10001",
    "html",
    "challenge",
    "empty",
    "refused-200",
    "expired-cursor",
)
ALTERING = ("error-10001-with-result", "content-type", "lag", *MANGLERS)
KINDS = (*REPLACING, *DELIVERIES, *ALTERING)
_PAGE = """<!DOCTYPE html>
<html><head><title>{status}: {reason} | api.cloudflare.com</title></head>
<body><h1>{reason}</h1><p>Error code {status}. Visit cloudflare.com for more information.</p>
<script>alert("simulated")</script></body></html>
"""
_REASONS = {
    502: "Bad gateway",
    504: "Gateway time-out",
    520: "Web server is returning an unknown error",
    522: "Connection timed out",
    403: "Just a moment...",
}


@dataclass
class Fault:
    """One fault. `times` None means until taken back.

    `method` and `path` (a regular expression, searched in the raw path with its query) say which
    requests it meets. `executes` lets the request have its effect before the answer is spoilt: an
    answer that was lost. `seconds` is for slow ones and the lag, `retry_after` for 429: seconds,
    "date" for an HTTP date, None for no header.
    """

    kind: str
    method: str | None = None
    path: str = ""
    times: int | None = None
    executes: bool = False
    status: int = 502
    seconds: float = 2.0
    retry_after: int | str | None = None
    memory: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")
        re.compile(self.path)

    def meets(self, request: Request) -> bool:
        """Whether it applies to a request."""
        if self.times == 0 or self.method not in {None, request.method}:
            return False
        if self.kind == "expired-cursor" and "cursor" not in request.parameters():
            return False
        return re.search(self.path, f"{request.path}?{request.query}".rstrip("?")) is not None

    @property
    def replaces(self) -> bool:
        """Whether the request is never carried out."""
        return not self.executes and (self.kind in REPLACING or self.kind == "reset")

    def spoil(self, request: Request, response: Response | None) -> Response:
        """The response to give instead of the good one, which is None when there was none."""
        if self.kind in REPLACING:
            return self._replacement()
        response = response or Response(200)
        if self.kind in DELIVERIES:
            response.delivery, response.seconds = self.kind, self.seconds
        elif self.kind == "content-type":
            response.headers["content-type"] = "text/plain; charset=utf-8"
        elif self.kind == "error-10001-with-result":
            response.status = 500
            response.body = _with_error(response.body)
        elif self.kind in MANGLERS and response.status == 200:
            shape = json.loads(response.body)
            MANGLERS[self.kind](shape, request, self.memory)
            response.body = json.dumps(shape).encode()
        return response

    def _replacement(self) -> Response:
        if self.kind == "rate-limited":
            return self._rate_limited()
        if self.kind == "error-10001":
            return refuse(Refusal(500, 10001, "workflows.api.error.internal_server"))
        if self.kind == "expired-cursor":
            return refuse(bad_query("cursor: Cursor has expired"))
        if self.kind == "refused-200":
            return refuse(Refusal(200, 10001, "workflows.api.error.internal_server"))
        if self.kind == "empty":
            return Response(204)
        status = 403 if self.kind == "challenge" else self.status
        page = _PAGE.format(status=status, reason=_REASONS.get(status, "Error")).encode()
        headers = {"content-type": "text/html; charset=UTF-8", "cf-ray": "9a0b1c2d3e4f5a6b-AMS"}
        if self.kind == "challenge":
            headers["cf-mitigated"] = "challenge"
        return Response(status, page, headers)

    def _rate_limited(self) -> Response:
        response = refuse(
            Refusal(429, 971, "Please wait and consider throttling your request speed")
        )
        if self.retry_after == "date":
            moment = datetime.now(UTC) + timedelta(seconds=self.seconds)
            response.headers["retry-after"] = format_datetime(moment, usegmt=True)
        elif self.retry_after is not None:
            response.headers["retry-after"] = str(self.retry_after)
        return response


def _with_error(body: bytes) -> bytes:
    shape = json.loads(body)
    shape["success"] = False
    shape["errors"] = [{"code": 10001, "message": "workflows.api.error.internal_server"}]
    return json.dumps(shape).encode()


class Faults:
    """The faults that are asked for now; the first that meets a request is used."""

    def __init__(self) -> None:
        self.active: list[Fault] = []

    def add(self, kind: str, **settings: Any) -> Fault:
        """Ask for a fault; the settings are the fields of `Fault`."""
        fault = Fault(kind, **settings)
        self.active.append(fault)
        return fault

    def clear(self) -> None:
        """Take all faults back."""
        self.active.clear()

    def take(self, request: Request) -> Fault | None:
        """The fault for a request, counted."""
        for fault in self.active:
            if fault.meets(request):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def describe(self) -> list[dict[str, Any]]:
        """What is asked for, as JSON."""
        return [
            {key: getattr(fault, key) for key in ("kind", "method", "path", "times", "executes")}
            for fault in self.active
        ]
