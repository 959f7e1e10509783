"""What happens over there in the very middle of something."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.simulator.messages import Request, Response
from dashboard.simulator.server import Server


def before(server: Server, do: Callable[[Request], object]) -> None:
    """Something that is done just before each request is answered; `del server.service.handle`
    ends it."""
    handle = server.service.handle

    def handled(request: Request) -> Response:
        do(request)
        return handle(request)

    server.service.handle = handled  # type: ignore[method-assign]
