"""Simulators to talk to, and the clients that nobody here wrote."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from cloudflare import Cloudflare

from dashboard import simulator
from dashboard.simulator import Server
from tests.engine import install

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Answer:
    """A response of the simulator, read to its end."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert self.json["success"], self.json
        return self.json["result"]

    @property
    def code(self) -> int:
        assert not self.json["success"]
        return self.json["errors"][0]["code"]


class Caller:
    """Requests over a real socket, below the workflows of the account unless told otherwise."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {server.token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        if not path.startswith("/_simulator"):
            prefix = "/client/v4"
            if not path.startswith(("/user", "/accounts", "/memberships", "/graphql")):
                prefix += f"/accounts/{self.server.account_id}/workflows"
            path = prefix + path
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, sent, {**self.headers, **names})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def instance(self, workflow: str, instance_id: str) -> Any:
        return self("GET", f"/{workflow}/instances/{instance_id}").result

    def act(self, workflow: str, instance_id: str, action: str, **more: Any) -> Answer:
        return self(
            "PATCH", f"/{workflow}/instances/{instance_id}/status", {"status": action, **more}
        )


@pytest.fixture
def server() -> Iterator[Server]:
    """An empty account whose clock stands still."""
    with simulator.serve("empty", now=NOON) as running:
        yield running


@pytest.fixture
def call(server: Server) -> Caller:
    return Caller(server)


@pytest.fixture
def incident() -> Iterator[Server]:
    """The account to show, at the moment somebody looks, its clock standing still."""
    with simulator.serve("incident", now=NOON) as running:
        yield running


@pytest.fixture
def ask(incident: Server) -> Caller:
    return Caller(incident)


@pytest.fixture
def sdk(server: Server) -> Iterator[Cloudflare]:
    """Cloudflare's own Python library."""
    with Cloudflare(api_token=server.token, base_url=server.url, max_retries=0) as client:
        yield client


Wrangler = Callable[..., str]


@pytest.fixture(scope="session")
def wrangler_folder() -> Path:
    return install.ensure_wrangler()


@pytest.fixture
def wrangler(wrangler_folder: Path, server: Server, tmp_path: Path) -> Wrangler:
    """Cloudflare's own command-line tool, in remote mode, with the simulator as the remote."""
    environment = install.environment(wrangler_folder) | {
        "CLOUDFLARE_API_BASE_URL": server.url,
        "CLOUDFLARE_API_TOKEN": server.token,
        "CLOUDFLARE_ACCOUNT_ID": server.account_id,
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*install.command(wrangler_folder), "workflows", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
