"""Fixtures of all tests: real servers, the browser, and the last word about what was not run."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from django.db.backends.sqlite3.base import DatabaseWrapper as Sqlite

from tests.faults.counting import Counting
from tests.servers.engine import LocalEngine
from tests.servers.postgres import Postgres
from tests.servers.process import NotInstalled
from tests.servers.redis import Redis

pytest_plugins = ["tests.fixtures"]

# How long an example takes says something about the machine, not about the code.
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")

# Playwright's sync API runs an event loop in the test's thread; Django would refuse queries there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    """What a process keeps for a while would be of another test's rows."""
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _what_people_did_is_cleared_between_tests() -> Iterator[None]:
    """Django empties SQLite by DELETE, which is refused there; what refuses it is made again."""
    from dashboard.models.sealing import SEALS

    flush = Sqlite.ops_class.sql_flush

    def sql_flush(self: Any, *args: Any, **options: Any) -> list[str]:
        dropped = [f"DROP TRIGGER IF EXISTS {seal.name}" for seal in SEALS]
        return [*dropped, *flush(self, *args, **options)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sqlite.ops_class, "sql_flush", sql_flush)
        yield


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
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture(scope="session")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """Cloudflare's local engine with five workflows and no instance, for the whole run."""
    try:
        engine = LocalEngine(tmp_path_factory.mktemp("engine"))
    except NotInstalled as missing:
        pytest.skip(str(missing))
    with engine:
        yield engine


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed")
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


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Counting(), "counting")


def _not_run(config: pytest.Config) -> Counter[str]:
    """Why tests were left out, and how many for each reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    reasons = [str(report.longrepr[2]) for report in skipped]
    return Counter(reason.removeprefix("Skipped: ") for reason in reasons)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI what was left out is a failure, whatever the rest says."""
    if os.environ.get("CI") == "true" and session.exitstatus == 0 and _not_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run's last lines: what it left out."""
    for why, count in sorted(_not_run(config).items()):
        print(f"NOT RUN: {count} test{'s' * (count != 1)}, because {why}")
