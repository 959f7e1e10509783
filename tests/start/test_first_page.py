"""The main promise: one command, nothing configured, and the first page holds live data."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.servers.dashboard import ROOT, Dashboard
from tests.servers.visitor import Visitor

pytestmark = pytest.mark.start


class MadeRun(Dashboard):
    """`make run` itself, with packages of its own: what a stranger's first start installs."""

    start_seconds = 300.0

    def argv(self) -> Sequence[str]:
        return ("make", "--no-print-directory", "run", f"VENV={self.folder / 'venv'}")

    def cwd(self) -> Path:
        return ROOT

    def env(self) -> Mapping[str, str]:
        # Where pip gets packages from is this machine's business.
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {**pip, **super().env()}


NINE = {
    *("queued", "running", "waiting", "waitingForPause", "paused", "rollingBack"),
    *("complete", "errored", "terminated"),
}


def counted(page: str) -> tuple[int, set[str]]:
    """What the list says there is: how many instances, and of which statuses there are any."""
    chips = re.findall(r'data-chip="(\w*)" data-count="(\d+)"', page)
    numbers = {status: int(number) for status, number in chips}
    return numbers.pop("", 0), {status for status, number in numbers.items() if number}


def test_the_printed_sign_in_opens_pages_with_live_data(tmp_path: Path) -> None:
    with MadeRun(tmp_path) as dashboard:
        started = time.monotonic()
        visitor = Visitor(dashboard.url)
        visitor.sign_in(*dashboard.sign_in)
        total, statuses = 0, set()
        while total < 500 or statuses < NINE:
            assert time.monotonic() - started < 60, f"{total} {statuses} {dashboard.tail()}"
            total, statuses = counted(visitor.get("/instances/"))
            time.sleep(0.25)
        assert re.search(r"/accounts/[^/]+/workflows/[^/\"]+", visitor.get("/"))
        assert "Traceback" not in dashboard.output()
