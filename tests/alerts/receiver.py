"""A receiver of alerts on loopback: a real HTTP server that answers, fails or hangs as told."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """`answers` are used up one by one; then it answers 200. A status, "reset" or "silence", or a
    Redirect's address. `taken`: what it has taken, `heard`: what it was sent."""

    port: int = 0
    answers: list[int | str] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    is_asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/s3cret-path"

    def ids(self) -> list[str]:
        return [one["id"] for one in self.taken]


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Serves until the block ends."""
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.heard.append(body)
            told.headers.append(dict(self.headers))
            answer = told.answers.pop(0) if told.answers else 200
            told.is_asked.set()
            if answer == "silence":
                told.may_answer.wait(30)
                answer = "reset"
            if answer == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                return
            if answer == 200:
                told.taken.append(body)
            self.send_response(307 if isinstance(answer, str) else answer)
            if isinstance(answer, str):
                self.send_header("Location", answer)
            self.end_headers()
            self.wfile.write(f"answer of {self.path}".encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        told.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
