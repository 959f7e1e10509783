"""Which processes belong to one start."""

from __future__ import annotations

import time
from pathlib import Path


def processes_of(folder: Path) -> dict[int, str]:
    """The living processes that name this folder in their command line or environment."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and bytes(folder) in command + environment:
            found[int(process.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def wait_until_gone(folder: Path, seconds: float = 5.0) -> dict[int, str]:
    """Wait until no such process is left; what is left after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def pid_of(folder: Path, word: str) -> int:
    """The first process of this start whose command line holds the word."""
    return min(pid for pid, command in processes_of(folder).items() if word in command)
