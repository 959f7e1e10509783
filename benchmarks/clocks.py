"""How long something took: by the clock on the wall, and in processor time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.db import connection


class Took(NamedTuple):
    """Seconds for each row."""

    wall: float
    cpu: float


def timed(run: Callable[[], int]) -> Took:
    """What `run`, which returns a number of rows, took for each. With an empty rubbish bin."""
    gc.collect()
    wall, cpu = time.perf_counter(), _cpu()
    number = run()
    return Took((time.perf_counter() - wall) / number, (_cpu() - cpu) / number)


def _cpu() -> float:
    """Processor seconds of this process and of those with which PostgreSQL serves it."""
    return time.process_time() + sum(map(_seconds_of, _backends()))


def _backends() -> list[int]:
    if connection.vendor == "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return [pid for (pid,) in cursor.fetchall()]


def _seconds_of(pid: int) -> float:
    """Linux counts nanoseconds there."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
