"""The simulator on a real socket: HTTP/1.1 with kept connections, and faults of sockets."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .access import FULL, NO_ANALYTICS, READ_ONLY, Grant
from .api import BASE, Api
from .clock import Clock
from .faults import Faults
from .feed import Feed
from .messages import Request, Response
from .scenarios import SCENARIOS
from .service import Service
from .world import World


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Socket

    def answer(self) -> None:
        """Read the request, ask the service, deliver as the response says."""
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        response = self.server.service.handle(Request(self.command, path, query, headers, body))
        self._deliver(response)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the names http.server calls

    def _deliver(self, response: Response) -> None:
        stopping, delivery = self.server.stopping, response.delivery
        if delivery == "reset":
            self._reset()
            return
        if delivery == "slow-headers":
            stopping.wait(response.seconds)
        head, stream = self._head(response), response.stream
        body = b"".join(stream.chunks()) if stream and delivery != "plain" else response.body
        if delivery == "cut-off":
            self.wfile.write(head + body[: len(body) // 2])
            self.close_connection = True
        elif delivery == "slow-body":
            self._drip(head, body, response.seconds)
        elif stream:
            self.wfile.write(head)
            for part in stream.chunks():
                self.wfile.write(part)
        else:
            self.wfile.write(head + body)

    def _head(self, response: Response) -> bytes:
        phrase = HTTPStatus(response.status).phrase if response.status < 520 else "Error"
        lines = [
            f"HTTP/1.1 {response.status} {phrase}",
            f"date: {self.date_time_string(self.server.service.world.now / 1000)}",
        ]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if response.status != HTTPStatus.NO_CONTENT:
            lines.append(
                f"content-length: {response.stream.size if response.stream else len(response.body)}"
            )
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _drip(self, head: bytes, body: bytes, seconds: float) -> None:
        parts = 10
        size = max(1, -(-len(body) // parts))
        self.wfile.write(head)
        for first in range(0, len(body), size):
            self.server.stopping.wait(seconds / parts)
            self.wfile.write(body[first : first + size])

    def _reset(self) -> None:
        """Close without the farewell of TCP: the other side sees a reset, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.server.drop(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept in the service's own log."""


class _Socket(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.service, self.stopping = service, threading.Event()
        self._open: set[socket.socket] = set()
        self._threads_here: list[threading.Thread] = []
        super().__init__(address, _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""

    def drop(self, connection: socket.socket) -> None:
        """Close a connection at once."""
        with contextlib.suppress(OSError):
            connection.close()

    def close_all(self) -> None:
        """End the kept connections, so that their threads end."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Server:
    """A running simulator. Everything about it that a test may want is an attribute."""

    def __init__(self, service: Service, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Port 0 takes a free one. Listens from here on; `start` begins to answer."""
        self.service = service
        self.world: World = service.world
        self.faults: Faults = service.faults
        self.account_id = service.world.account_id
        self.token, self.read_only_token = FULL, READ_ONLY
        self.no_analytics_token = NO_ANALYTICS
        self.feed = service.api.feed
        self.grants = service.api.grants  # take a token out, and it is revoked
        self._socket = _Socket((host, port), service)
        self.host, self.port = host, int(self._socket.server_address[1])
        self.origin = f"http://{host}:{self.port}"
        self.url = self.origin + BASE
        self._thread = threading.Thread(
            target=self._socket.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request so far: method, path, query, body, status, authorised, fault."""
        return self.service.requests

    def start(self) -> None:
        """Answer from a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and close every connection."""
        self._socket.stopping.set()
        self._socket.shutdown()
        self._socket.close_all()
        self._socket.server_close()
        self._thread.join(5)

    def wait(self) -> None:
        """Until somebody stops it."""
        self._thread.join()


def build(
    scenario: str = "incident",
    *,
    seed: int = 1,
    instances: int | None = None,
    now: datetime | None = None,
    ticking: bool | None = None,
    rate_limit: int = 1_200,
    shape: str = "new",
    host: str = "127.0.0.1",
    port: int = 0,
    grants: dict[str, Grant] | None = None,
    cursor_seconds: int = 600,
    event_lag: float = 5.0,
    event_share: float = 1.0,
    early: float = 0,
) -> Server:
    """A server that listens and is not started.

    With `now`, time stands still there until `world.advance(seconds)`, unless `ticking`. `shape` is
    "new" or "old" (the earlier official pages). A `rate_limit` of 0 is no limit. Events are shown
    `event_lag` seconds late, and only this share (0..1) of them. `early`: see `World`.
    """
    world = World(
        SCENARIOS[scenario],
        seed=seed,
        instances=instances,
        clock=Clock(now, ticking=ticking),
        cursor_seconds=cursor_seconds,
        early=early,
    )
    for workflow in world.workflows.values():
        workflow.advance(world.now)
    feed = Feed(lag=event_lag, share=event_share)
    api = Api(world, rate_limit=rate_limit, old=shape == "old", grants=grants, feed=feed)
    return Server(Service(api), host=host, port=port)


@contextlib.contextmanager
def serve(scenario: str = "incident", **settings: Any) -> Iterator[Server]:
    """A simulator for the length of a `with`, on a free port; the settings are those of `build`."""
    server = build(scenario, **settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
