"""Workers and beats without the rest of the dashboard, as many as a test wants."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboard.supervisor import programs
from dashboard.supervisor.child import Program
from tests.servers.dashboard import ROOT
from tests.servers.process import Server


class Part(Server):
    """One program that `manage.py up` starts, with only `settings` in its environment."""

    stop_seconds = 60.0  # A worker finishes what it does.

    def __init__(self, folder: Path, program: Program, settings: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.log = folder / f"{program.name}.log"
        self.program, self.settings = program, settings

    def argv(self) -> Sequence[str]:
        return self.program.argv

    def env(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), **self.settings}

    def is_ready(self) -> bool:
        """What it does shows in the database and in the account's log; it prints nothing."""
        return True


def workers_and_beat(workers: int) -> tuple[list[Program], Program]:
    """The programs of so many workers, and the beat's, as `manage.py up` would start them."""
    parts = programs.application(listener=0, web_workers=1, celery_workers=workers)
    *others, beat = [program for program in parts if program.name != "web"]
    assert beat.name == "beat"
    return others, beat
