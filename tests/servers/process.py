"""A server as a process that ends with the test run, even when that is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from dashboard.supervisor.child import prepare_child


class NotInstalled(Exception):
    """The program is not on this machine; `str()` names it."""


class DidNotStart(Exception):
    """The server ended or stayed silent; `str()` holds the end of its log."""


class Server(ABC):
    """One process in a group of its own, with its log in a file."""

    start_seconds = 30.0
    stop_seconds = 20.0
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / f"{type(self).__name__.lower()}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def argv(self) -> Sequence[str]:
        """What to run."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers."""

    def env(self) -> Mapping[str, str]:
        """Its environment."""
        return os.environ

    def cwd(self) -> Path:
        """Where it runs."""
        return self.folder

    def user(self) -> str | None:
        """Who runs it; None for whoever runs the tests."""
        return None

    def start(self) -> None:
        """Start and wait until it answers; raises DidNotStart."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv(),
                env=self.env(),
                cwd=self.cwd(),
                user=self.user(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=prepare_child(os.getpid()),  # noqa: PLW1509  (called from one thread)
            )
        deadline = time.monotonic() + self.start_seconds
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise DidNotStart(f"{type(self).__name__} did not start:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self) -> int | None:
        """Ask it to stop and wait; kill it when it does not. Its exit code, None if not running."""
        if self.process is None:
            return None
        self.process.send_signal(self.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.stop_seconds)
        return self.kill()

    def kill(self) -> int | None:
        """End it and all it started, now."""
        if self.process is None:
            return None
        # What it started may have outlived it: its group is signalled even when it has ended.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.process = None
        return code

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
