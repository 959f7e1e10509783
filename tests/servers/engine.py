"""Cloudflare's own local engine: `wrangler dev` with the five workflows of tests/engine/.

`python -m tests.servers.engine` only installs it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboard.supervisor.address import free_port
from tests.engine import install
from tests.servers.process import NotInstalled, Server

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = ROOT / "tests" / "engine"


def wrangler() -> Path:
    """The folder with Cloudflare's tool, which is installed if need be. Raises NotInstalled."""
    try:
        return install.ensure_wrangler()
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalled("wrangler could not be installed from npm") from error


class LocalEngine(Server):
    """`url` is what CLOUDFLARE_API_BASE_URL wants. Its state lies in its folder.

    A restart freezes what was running: the engine sets no alarms (its own behaviour).
    """

    start_seconds = 60.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tools = wrangler()
        self.port, self.inspector_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.copytree(SOURCES / "src", folder / "src")
        shutil.copy(SOURCES / "wrangler.jsonc", folder)

    def argv(self) -> Sequence[str]:
        return (
            *(sys.executable, "-m", "tests.servers.guard", *install.command(self.tools)),
            *("dev", "--local", "--show-interactive-dev-session=false"),
            *("--ip", "127.0.0.1", "--port", str(self.port)),
            *("--inspector-ip", "127.0.0.1", "--inspector-port", str(self.inspector_port)),
            *("--persist-to", str(self.folder / "state")),
        )

    def env(self) -> Mapping[str, str]:
        return {**install.environment(self.folder), "PYTHONPATH": str(ROOT)}

    def is_ready(self) -> bool:
        try:
            self._open(f"{self.url}/cdn-cgi/local/explorer/api/workflows")
        except OSError:
            return False
        return True

    def seed(self, count: int) -> None:
        """Create `count` instances over the five workflows; they go on by themselves."""
        self._open(f"{self.url}/seed?n={count}", method="POST")

    def _open(self, url: str, method: str = "GET") -> bytes:
        request = urllib.request.Request(url, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            body: bytes = answer.read()
        return body


if __name__ == "__main__":
    wrangler()
