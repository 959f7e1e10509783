"""Fixtures of all tests: real servers, the browser, and the last word about what was not run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.engine import LocalEngine
from tests.servers.postgres import Postgres
from tests.servers.process import NotInstalled
from tests.servers.redis import Redis

pytest_plugins = ["tests.fixtures"]

# Playwright's sync API runs an event loop in the test's thread; Django would refuse queries there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

#: What this run left out, and why. A run in CI that left something out has failed.
_not_run: dict[str, str] = {}


def not_run(what: str, why: str) -> None:
    """Skip the test, and say at the end of the run that tests of this kind were left out."""
    _not_run[what] = why
    pytest.skip(f"{why}.")


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A private Redis-compatible server; `stop()` and `start()` take it away and bring it back."""
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server for the whole run. Who stops it starts it again."""
    try:
        server = Postgres(tmp_path_factory.mktemp("postgres"))
    except NotInstalled as missing:
        not_run("PostgreSQL tests", str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """Cloudflare's local engine with five workflows and no instance, for the whole run."""
    try:
        engine = LocalEngine(tmp_path_factory.mktemp("engine"))
    except NotInstalled as missing:
        not_run("local engine tests", str(missing))
    with engine:
        yield engine


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        not_run("browser tests", "Chromium is not installed")
    return str(path)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], chromium: str
) -> dict[str, Any]:
    """Debian's Chromium, able to run as root, speaking to nobody but the page's own server."""
    return {
        **browser_type_launch_args,
        "executable_path": chromium,
        "args": [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    }


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI what was left out is a failure, whatever the rest says."""
    if _not_run and os.environ.get("CI") == "true" and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run's last lines: what it left out."""
    for what, why in sorted(_not_run.items()):
        print(f"NOT RUN: {what} ({why})")
