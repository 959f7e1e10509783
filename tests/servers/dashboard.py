"""The whole dashboard as a person starts it: `manage.py up` and all its processes."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.process import Server

ROOT = Path(__file__).resolve().parent.parent.parent


class Dashboard(Server):
    """On a free port, with its data in `folder / "data"` and only `settings` in its environment."""

    start_seconds = 60.0
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, **settings: str) -> None:
        super().__init__(folder)
        self.data = folder / "data"
        self.settings = settings

    def argv(self) -> Sequence[str]:
        return (sys.executable, str(ROOT / "manage.py"), "up")

    def env(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "PORT": "0", "DATA_DIR": str(self.data), **self.settings}

    @property
    def url(self) -> str:
        """The address it has printed, without a slash at its end; empty until then."""
        found = re.findall(r"The dashboard is at (\S+)/ ", self.output())
        return found[-1] if found else ""

    @property
    def sign_in(self) -> tuple[str, str]:
        """The demo user and its password, as printed."""
        found = re.findall(r"Sign in as (\S+) with the password (\S+)", self.output())
        user, password = found[-1]
        return user, password

    def output(self) -> str:
        """All it has printed since the first start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def is_ready(self) -> bool:
        if not self.url:
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        """Wait until it has printed this; raises TimeoutError with the end of its log."""
        deadline = time.monotonic() + seconds
        while text not in self.output():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} was not printed:\n{self.tail()}")
            time.sleep(0.05)

    def kill9(self) -> None:
        """Kill the supervisor alone, as the kernel would when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
