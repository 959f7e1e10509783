"""The servers that tests start are real, and come back at the same address."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest

from tests.servers.engine import LocalEngine
from tests.servers.postgres import Postgres


@pytest.mark.postgres
def test_postgres_goes_and_comes_back_with_its_data(postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.url) as connection:
        connection.execute("create table kept (word text)")
    postgres_server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_server.url)
    postgres_server.start()
    with psycopg.connect(postgres_server.url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
        connection.execute("drop table kept")


@pytest.mark.engine
def test_the_local_engine_runs_what_is_seeded(local_engine: LocalEngine) -> None:
    local_engine.seed(5)
    rows = f"{local_engine.url}/cdn-cgi/local/explorer/api/workflows/order-pipeline/instances"
    with urllib.request.urlopen(rows, timeout=30) as answer:
        assert json.load(answer)["result"]


STARTS_REDIS = """
import pathlib, sys, time
from tests.servers.redis import Redis
server = Redis(pathlib.Path(sys.argv[1]))
server.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""


def test_a_server_ends_with_a_test_run_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTS_REDIS, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        run.kill()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.02)
