"""Runs a command whose own children would outlive it, and ends them all with whoever started it.

The kernel's death signal reaches one process, not its children; this process is in between and
passes it on to the group: `python -m tests.servers.guard COMMAND...`, in a group of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from dashboard.supervisor.child import die_with_parent


def main(command: list[str]) -> int:
    """Run the command; its exit code."""
    parent = os.getppid()
    child = subprocess.Popen(command)

    def stop(number: int, _frame: object) -> None:
        if os.getppid() == parent:
            child.send_signal(number)
        else:
            os.killpg(0, signal.SIGKILL)

    signal.signal(signal.SIGTERM, stop)
    die_with_parent(signal.SIGTERM)
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
