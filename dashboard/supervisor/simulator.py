"""The simulated account that the first start shows, when no real one is configured."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboard.supervisor.child import Program

READY_SECONDS = 30.0
#: The account of seed 1; the simulator prints it too.
ACCOUNT_ID = "426dfba805b947f0b11a5d7bb9227571"
TOKEN = "simulator-token"  # noqa: S105  (opens nothing but the simulator)
#: Who sets one of these means an account of their own.
NAMES_AN_ACCOUNT = ("CLOUDFLARE_ACCOUNT", "CLOUDFLARE_API_", "CLOUDFLARE_EMAIL")


def is_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether nothing in the environment speaks of an account of one's own."""
    return not any(
        value.strip() for name, value in environ.items() if name.startswith(NAMES_AN_ACCOUNT)
    )


def program(manage: Path, port: int) -> Program:
    """The simulator on this port of the loopback interface; it outlives those who ask it."""
    return Program(
        "simulator",
        (
            *(sys.executable, str(manage), "simulate"),
            *("--scenario", "incident", "--seed", "1", "--port", str(port)),
        ),
        stop_stage=1,
    )


def environment(port: int) -> dict[str, str]:
    """What makes the other programs ask the simulator instead of Cloudflare."""
    return {
        "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{port}/client/v4",
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID,
        "CLOUDFLARE_API_TOKEN": TOKEN,
        "CLOUDFLARE_ACCOUNT_NAME": "Simulated account",
    }


def wait_until_ready(port: int, is_running: Callable[[], bool]) -> bool:
    """Whether it accepts connections within some seconds."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and is_running():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False
