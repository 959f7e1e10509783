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


def test_the_printed_sign_in_opens_pages_with_live_data(tmp_path: Path) -> None:
    with MadeRun(tmp_path) as dashboard:
        started = time.monotonic()
        visitor = Visitor(dashboard.url)
        visitor.sign_in(*dashboard.sign_in)
        while 'data-status="errored"' not in (page := visitor.get("/instances/")):
            assert time.monotonic() - started < 60, page[-3000:] + dashboard.tail()
            time.sleep(0.25)
        assert re.search(r"/accounts/[^/]+/workflows/[^/\"]+", visitor.get("/"))
        assert "Traceback" not in dashboard.output()
