"""Errors and traces, as another program on a socket takes them from a process of ours."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.servers.dashboard import ROOT

SECRET = "s3cr3t-Value_1"
#: A page that breaks, and one that finds the database away; both as the web process answers them.
ANSWERS = """
import django

django.setup()
from django.core.management import call_command

call_command("collectstatic", interactive=False, verbosity=0)
from dashboard.wsgi import application
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.test import Client
from django.urls import path

from dashboard import urls

def page(request, error):
    held = request.headers["Authorization"]
    raise {"broken": ValueError, "away": OperationalError}[error](f"Authorization: {held}")

urls.urlpatterns.append(path("pages/<str:error>", login_not_required(page)))
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
for error in ("broken", "away"):
    answer = client.get(
        f"/pages/{error}",
        headers={"Authorization": "Bearer SECRET", "X-Request-ID": f"proxy-{error}"},
    )
    print(answer.status_code, answer["X-Request-ID"], answer.text)
""".replace("SECRET", SECRET)

SETTINGS = {"DJANGO_SETTINGS_MODULE": "dashboard.settings"}


class Taker(BaseHTTPRequestHandler):
    """Takes whatever is posted, and keeps it by its path."""

    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_zipped = self.headers.get("Content-Encoding") == "gzip"
        self.taken.append((self.path, gzip.decompress(body) if is_zipped else body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def taken() -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """The port of a server that takes what is posted to it, and what it was posted."""
    kept: list[tuple[str, bytes]] = []
    handler = type("Handler", (Taker,), {"taken": kept})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, kept
        server.shutdown()
        thread.join()


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ANSWERS],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **SETTINGS, **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


def test_an_error_is_reported_with_its_request_and_no_secret_and_an_outage_is_not(
    tmp_path: Path, taken: tuple[int, list[tuple[str, bytes]]]
) -> None:
    port, kept = taken

    run(tmp_path, SENTRY_DSN=f"http://key@127.0.0.1:{port}/1")

    sent = [body.decode() for path, body in kept if path == "/api/1/envelope/"]
    [told] = [text for text in sent if '"type":"event"' in text]
    event = json.loads(told.splitlines()[2])
    [error] = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert error["value"] == "Authorization: Bearer ***"
    assert event["tags"]["request_id"] == "proxy-broken"
    assert SECRET not in "".join(sent)


def test_requests_are_traced_where_somebody_takes_traces(
    tmp_path: Path, taken: tuple[int, list[tuple[str, bytes]]]
) -> None:
    port, kept = taken

    run(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")

    told = b"".join(body for path, body in kept if path == "/v1/traces")
    assert b"workflows-dashboard-web" in told
    assert b"pages/<str:error>" in told


def test_nothing_is_reported_or_imported_for_it_where_nothing_asks_for_it(tmp_path: Path) -> None:
    look = "import sys; from dashboard.wsgi import application; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", look],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert "'django'" in done.stdout
    assert "'sentry_sdk'" not in done.stdout
    assert "'opentelemetry.instrumentation'" not in done.stdout


def test_each_line_of_a_json_log_is_an_object_that_names_its_request(tmp_path: Path) -> None:
    done = run(tmp_path, LOG_FORMAT="json")

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    [broken] = [line for line in lines if line.get("request_id") == "proxy-broken"]
    assert broken["level"] == "ERROR"
    assert broken["logger"] == "django.request"
    assert broken["time"]
    assert "ValueError: Authorization: Bearer ***" in broken["exc_info"]
    assert SECRET not in done.stderr


def test_the_page_of_an_error_names_the_request_as_the_log_does(tmp_path: Path) -> None:
    done = run(tmp_path)

    assert "500 proxy-broken" in done.stdout
    assert "<code>proxy-broken</code>" in done.stdout
    assert SECRET not in done.stdout + done.stderr
