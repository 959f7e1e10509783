"""`manage.py simulate` as somebody types it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

MANAGE = Path(__file__).parent.parent.parent / "manage.py"


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(MANAGE), "simulate", "--port", "0", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_at_once(number: signal.Signals) -> None:
    with start("--scenario", "quiet", "--instances", "20") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(
            r"base URL http://127\.0\.0\.1:(\d+)/client/v4  account ([0-9a-f]{32})  token (\S+)\n",
            line,
        )
        assert found, line
        port, account_id, token = found.groups()
        connection = HTTPConnection("127.0.0.1", int(port), timeout=5)
        connection.request(
            "GET", f"/client/v4/accounts/{account_id}/workflows",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert connection.getresponse().read().startswith(b'{"success": true')
        process.send_signal(number)
        assert process.wait(5) == 0
        connection.close()
        assert process.stderr.read() == ""


def test_it_says_so_when_the_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with start("--scenario", "empty", "--port", port) as process:
            _, words = process.communicate(timeout=20)

    assert f"cannot listen on port {port}" in words
    assert process.returncode == 1


def test_more_than_a_million_instances_are_refused() -> None:
    with start("--instances", "1000001") as process:
        _, words = process.communicate(timeout=20)

    assert "--instances" in words
    assert process.returncode != 0
