"""One program as a process that dies with its parent, whatever kills the parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(signal_number: int = signal.SIGKILL) -> None:
    """Ask the kernel to signal this process when its parent ends. Linux only; elsewhere nothing.

    The kernel means the parent's *thread*: start children from a thread that lasts.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal_number)


def prepare_child(parent: int) -> Callable[[], None]:
    """What a child of `parent` does between fork and exec, for Popen's `preexec_fn`."""

    def prepare() -> None:
        die_with_parent()
        # The parent may have ended between fork and the line above; then nobody would tell us.
        if os.getppid() != parent:
            os._exit(1)

    return prepare


@dataclass(frozen=True)
class Program:
    """What to run, and under which name. `stop_stage`: 0 is stopped first, the highest last."""

    name: str
    argv: tuple[str, ...]
    stop_stage: int = 0
    pass_fds: tuple[int, ...] = ()


class Child:
    """A running program and what it has printed so far of its current line."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.started_at = time.monotonic()
        self.is_silent = False
        self.output, writer = os.pipe()
        os.set_blocking(self.output, False)
        self.process = subprocess.Popen(  # noqa: S603  (the programs are ours; no shell)
            program.argv,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.STDOUT,
            # A session of its own: a Ctrl-C at the terminal reaches the parent only.
            start_new_session=True,
            pass_fds=program.pass_fds,
            preexec_fn=prepare_child(os.getpid()),  # noqa: PLW1509  (the parent has one thread)
        )
        os.close(writer)
        self._rest = b""

    def read_lines(self) -> list[str]:
        """The lines printed since the last call. At the end of all output, `is_silent` is set."""
        chunks = [self._rest]
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.output, 65536):
                chunks.append(chunk)
            self.is_silent = True
        *lines, self._rest = b"".join(chunks).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def has_ended(self) -> bool:
        """Whether it has ended. It stays unreaped until `reap`, so its group id stays its own."""
        if self.process.returncode is not None:
            return True
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def signal(self, number: int) -> None:
        """Signal the program itself; it knows best how to stop its own children."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it and everything it started, now."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def reap(self) -> tuple[int, list[str]]:
        """Clear up after its end: its own children too. Its exit code, and its last lines."""
        self.kill()
        code = self.process.wait()
        lines = self.read_lines()
        if self._rest:
            lines.append(self._rest.decode(errors="replace"))
        os.close(self.output)
        return code, lines
