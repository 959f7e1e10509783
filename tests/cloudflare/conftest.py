"""A real HTTP server on the loopback that answers what a test tells it to, also badly."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import stamina

from dashboard.cloudflare import Client, Credentials

TOKEN = "tok-3cr3t-0123456789"
ACCOUNT = "0123456789abcdef0123456789abcdef"


@dataclass
class Reply:
    """One answer. `cut`: promise more bytes than come. `reset`: break the connection instead."""

    json: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    chunks: Callable[[], Iterator[bytes]] | None = None
    delay: float = 0.0
    cut: int = 0
    reset: bool = False

    @property
    def payload(self) -> bytes:
        return json.dumps(self.json).encode() if self.body is None else self.body


@dataclass
class Seen:
    """One request as it came over the wire; `path` is still quoted."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ok(result: Any, **info: Any) -> Reply:
    envelope = {"success": True, "errors": [], "messages": [], "result": result}
    return Reply(envelope | ({"result_info": info} if info else {}))


def refused(status: int, code: int, message: str = "", result: Any = None, **rest: Any) -> Reply:
    errors = [{"code": code, "message": message}]
    envelope = {"success": False, "errors": errors, "messages": [], "result": result}
    return Reply(envelope, status=status, **rest)


def html(status: int, text: str = "<html><h1>Bad gateway</h1></html>", **headers: str) -> Reply:
    return Reply(
        status=status, body=text.encode(), headers={"Content-Type": "text/html", **headers}
    )


class Server:
    """Answers each request with the next reply; the last one stays. `app` replaces the list."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.replies: list[Reply] = []
        self.app: Callable[[Seen], Reply] | None = None
        self.clock_skew = 0.0
        self._httpd = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (Handler,), {"owner": self})
        )
        self._httpd.daemon_threads = True
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._httpd.server_address[1]}"
        self.url = f"{self.origin}/client/v4"

    def answer(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def reply_to(self, seen: Seen) -> Reply:
        self.seen.append(seen)
        if self.app:
            return self.app(seen)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def stop(self) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection of the server."""

    protocol_version = "HTTP/1.1"
    owner: Server

    def handle_any(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(url.query))
        seen = Seen(self.command, url.path, query, headers, self.rfile.read(length))
        reply = self.owner.reply_to(seen)
        time.sleep(reply.delay)
        if reply.reset:
            self._break_off()
        else:
            self._send_headers(reply)
            self._send_body(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - http.server's names

    def _break_off(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def _send_headers(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in ({"Content-Type": "application/json"} | reply.headers).items():
            self.send_header(name, value)
        if reply.chunks is None and reply.status != 204:
            self.send_header("Content-Length", str(len(reply.payload) + reply.cut))
        if reply.chunks or reply.cut:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()

    def _send_body(self, reply: Reply) -> None:
        # A client may hang up in the middle: that is what some tests are about.
        with contextlib.suppress(OSError):
            for chunk in reply.chunks() if reply.chunks else [reply.payload]:
                self.wfile.write(chunk)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() + self.owner.clock_skew)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., Client]]:
    """Open clients, to the server unless told otherwise, and close them at the end."""
    clients: list[Client] = []

    def open_client(account_id: str = ACCOUNT, **options: Any) -> Client:
        options = {"credentials": Credentials(TOKEN), "base_url": server.url} | options
        clients.append(Client(account_id, **options))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[..., Client]) -> Client:
    """A client of Cloudflare's own kind."""
    return connect()


@pytest.fixture
def local(connect: Callable[..., Client], server: Server) -> Client:
    """A client of a local `wrangler dev`."""
    return connect(base_url=server.origin)
