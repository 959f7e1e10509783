"""The whole simulator without its socket: the API, the faults, the log of requests."""

from __future__ import annotations

import json
import threading
from typing import Any

from .api import Api
from .clock import instant
from .faults import Faults
from .messages import Request, Response, respond

ADMIN = "/_simulator/"
_LOG_LIMIT = 20_000


class Service:
    """Thread-safe: `handle` may be called from many connections at once."""

    def __init__(self, api: Api) -> None:
        self.api, self.world, self.faults = api, api.world, Faults()
        self.requests: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Answer a request, with the fault that was asked for, if any."""
        with self._lock:
            if request.path.startswith(ADMIN):
                return self._administer(request)
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        fault = self.faults.take(request)
        response: Response | None = None
        if fault is None or not fault.replaces:
            self.api.list_lag = round(fault.seconds * 1_000) if fault and fault.kind == "lag" else 0
            response = self.api.answer(request)
        authorised = response.status not in {401, 403} if response else None
        if fault:
            response = fault.spoil(request, response)
        assert response is not None  # noqa: S101 - either the API or the fault has answered
        self._note(request, response, fault.kind if fault else None, authorised=authorised)
        return response

    def _note(
        self, request: Request, response: Response, fault: str | None, *, authorised: bool | None
    ) -> None:
        """Never the token: only whether it was good."""
        entry = {
            "at": instant(self.world.now),
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "body": request.body.decode(errors="replace")[:2_000],
            "status": response.status,
            "authorised": authorised,
            "fault": fault,
        }
        self.requests.append(entry)
        del self.requests[:-_LOG_LIMIT]

    def _administer(self, request: Request) -> Response:
        what = request.path.removeprefix(ADMIN).rstrip("/")
        try:
            body = json.loads(request.body) if request.body else {}
            return self._route(request.method, what, body)
        except (TypeError, ValueError, KeyError) as error:
            return respond(400, {"error": str(error)})

    def _route(self, method: str, what: str, body: Any) -> Response:
        if (method, what) == ("POST", "faults"):
            self.faults.add(**body)
        elif (method, what) == ("DELETE", "faults"):
            self.faults.clear()
        elif (method, what) == ("POST", "clock"):
            self.world.advance(float(body["advance"]))
        elif (method, what) == ("DELETE", "requests"):
            self.requests.clear()
        elif method != "GET" or what not in {"faults", "clock", "requests"}:
            return respond(404, {"error": "there are /faults, /clock and /requests"})
        shown: dict[str, Any] = {
            "faults": self.faults.describe(),
            "clock": instant(self.world.now),
            "requests": self.requests,
        }
        return respond(200, {what: shown[what]})
