"""Requests and responses without sockets, and the envelope that every answer of the API wears."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from .errors import Refusal, bad_body
from .plan import Stream

JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """`path` is as it came, still percent-encoded; header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameters(self) -> dict[str, str]:
        """Query parameters; the last one counts when repeated."""
        return {k: v[-1] for k, v in parse_qs(self.query, keep_blank_values=True).items()}

    def json(self) -> Any:
        """The body as JSON; 10002 when it is empty or no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise bad_body("Invalid JSON" if self.body else "") from None


@dataclass
class Response:
    """`delivery` tells the server how to send it: plainly, slowly, cut off, or not at all.

    With a `stream`, that is the body, and is never held whole.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: str = "plain"
    seconds: float = 0.0
    stream: Stream | None = None


def respond(status: int, shape: Any) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(shape, ensure_ascii=False).encode(), {"content-type": JSON})


def succeed(
    result: Any, *, info: dict[str, Any] | None = None, messages: Iterable[Any] = ()
) -> Response:
    """The envelope of a success."""
    shape = {"success": True, "errors": [], "messages": list(messages), "result": result}
    if info is not None:
        shape["result_info"] = info
    return respond(200, shape)


def refuse(refusal: Refusal) -> Response:
    """The envelope of a failure."""
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.chain:
        error["error_chain"] = [{"code": refusal.chain[0], "message": refusal.chain[1]}]
    return respond(
        refusal.http_status,
        {"success": False, "errors": [error], "messages": [], "result": None},
    )
