"""The web server as it runs in production, with other people's pages beside ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from dashboard.supervisor.address import free_port
from tests.servers.process import Server

TICKS = os.sysconf("SC_CLK_TCK")


class Web(Server):
    """As `manage.py up` starts it: one process with threads."""

    def __init__(self, env: Mapping[str, str]) -> None:
        folder = Path(env["DATA_DIR"])
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)
        self.settings = env
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def argv(self) -> list[str]:
        command = [sys.executable, "-m", "gunicorn", "--config", "python:dashboard.gunicorn_conf"]
        return [*command, "--bind", f"127.0.0.1:{self.port}", "dashboard.wsgi"]

    def env(self) -> dict[str, str]:
        return {**self.settings, "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}

    def cwd(self) -> Path:
        return Path(__file__).resolve().parent.parent

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def processor_seconds(self) -> float:
        """What all its processes have used so far."""
        if self.process is None:
            return 0.0
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS
