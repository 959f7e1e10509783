"""A supervisor over toy programs, as a process of its own that tests can signal.

python -m tests.supervisor.toys STOP_SECONDS NAME:STAGE:CODE...   CODE is Python, run as a child
"""

from __future__ import annotations

import sys

from dashboard.supervisor.child import Program
from dashboard.supervisor.supervisor import Supervisor


def say(name: str, line: str) -> None:
    print(f"{name}: {line}", flush=True)


def main(stop_seconds: str, *specs: str) -> int:
    supervisor = Supervisor(say, stop_seconds=float(stop_seconds))
    for spec in specs:
        name, stage, code = spec.split(":", 2)
        supervisor.start(Program(name, (sys.executable, "-u", "-c", code), stop_stage=int(stage)))
    say("test", "all started")
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
