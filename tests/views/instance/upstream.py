"""A Workflows API on the loopback that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dashboard import connection

ACCOUNT = "0123456789abcdef0123456789abcdef"
PREFIX = f"/client/v4/accounts/{ACCOUNT}/workflows/"
NOT_FOUND = {"workflow": (10200, "workflow.not_found"), "instance": (10400, "instance.not_found")}


@dataclass
class Upstream:
    """`instances`: (workflow, id) to the `result` of its detail. `steps`: a step's name to its
    result, or to chunks of bytes. `trouble`: an HTTP status that every request gets instead.
    """

    instances: dict[tuple[str, str], Any] = field(default_factory=dict)
    steps: dict[str, Any] = field(default_factory=dict)
    trouble: int | None = None
    seen: list[str] = field(default_factory=list)
    #: Set when a streamed answer was read to its end, or given up.
    stream_ended: threading.Event = field(default_factory=threading.Event)
    chunks_sent: int = 0

    def __enter__(self) -> Upstream:
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Bound", (_Handler,), {"api": self})
        )
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/client/v4"

    def add(self, instance_id: str, result: Any, workflow: str = "orders") -> str:
        """Places an instance; returns the path of its page."""
        self.instances[workflow, instance_id] = result
        return instance_id

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if self.trouble:
            return self.trouble, _envelope(errors=[(10000, "Authentication error")])
        parts = [unquote(part) for part in path.removeprefix(PREFIX).split("/")]
        workflow = parts[0]
        if workflow not in {name for name, _ in self.instances}:
            return 404, _envelope(errors=[NOT_FOUND["workflow"]])
        if len(parts) == 1:
            return 200, _envelope({"id": f"uuid-of-{workflow}", "name": workflow})
        if (workflow, parts[2]) not in self.instances:
            return 404, _envelope(errors=[NOT_FOUND["instance"]])
        if len(parts) == 4:
            found = self.steps.get(query["name"][0])
            missing = 404, _envelope(errors=[NOT_FOUND["instance"]])
            return (200, found) if found is not None else missing
        return 200, _envelope(self.instances[workflow, parts[2]])


def step(output: Any, **rest: Any) -> Any:
    """The answer of the step route."""
    return _envelope({"status": "complete", "error": None, "output": output} | rest)


def _envelope(result: Any = None, errors: list[tuple[int, str]] | None = None) -> Any:
    told = [{"code": code, "message": message} for code, message in errors or []]
    return {"success": not told, "errors": told, "messages": [], "result": result}


class _Handler(BaseHTTPRequestHandler):
    api: Upstream
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.api.seen.append(self.path)
        status, answer = self.api.answer(url.path, parse_qs(url.query))
        if isinstance(answer, Iterator):
            self.stream(answer)
            return
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, chunks: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for chunk in chunks:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.api.chunks_sent += 1
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            self.api.stream_ended.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests read `seen`."""


@contextmanager
def watched_upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """A scripted account, which is the one that the environment names."""
    with Upstream() as api:
        monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", api.url)
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", ACCOUNT)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "tok-0123456789")
        yield api
        connection.disconnect()
