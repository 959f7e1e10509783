"""python -m benchmarks.overview [--rows N] [--workflows N …]: the overview over HTTP.

Each page is the whole answer of the web server as it runs in production, asked for in turns by one
client. What happened is counted from the rows as after an upgrade, and how long that takes is
measured too. *Cold* is the first answer of a process: what it works out is kept for a minute.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.databases import databases, kind, named
from benchmarks.listing import FLOOR, Reader
from benchmarks.web import Web

PAGES = {
    FLOOR: "/peers/nothing/",
    "overview": "/",
    "since 1 h": "/?since=1h",
    "since 24 h": "/?since=24h",
    "metrics": "/metrics",
}
TIMES = 100
COUNT = """
import time, django; django.setup()
from datetime import timedelta
from django.utils import timezone
from dashboard.models import CountsThen, Instance, UncountedPast, Workflow, WorkflowPeriod
from dashboard.models.history_past import count_past
now = timezone.now()
for workflow in Workflow.objects.all():
    counts = dict(workflow.tallies.values_list("status", "held"))
    Workflow.objects.filter(pk=workflow.pk).update(counts=counts, counted_at=now)
    for hours in range(24):
        CountsThen.objects.note(workflow.pk, counts, now - timedelta(hours=hours + 1))
UncountedPast.objects.create(began_at=now, last_pk=Instance.objects.order_by("-pk")[0].pk)
began = time.perf_counter()
count_past(now=now, is_time_up=lambda: False)
print(f"{time.perf_counter() - began:.0f} {WorkflowPeriod.objects.count()}")
"""


def counted(env: Mapping[str, str]) -> list[str]:
    """Counts the rows that are held; the seconds that took, and how many periods there are."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**env, "DJANGO_SETTINGS_MODULE": "dashboard.settings"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()


def measure(env: Mapping[str, str], rows: int, workflows: int) -> None:
    """Prints one line for each page."""
    with Web(env) as web:
        reader = Reader(env, rows, web)
        cold = {name: reader.milliseconds(path) for name, path in PAGES.items()}
        took: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(TIMES):
            for name, path in PAGES.items():
                took[name].append(reader.milliseconds(path))
        for name, path in PAGES.items():
            computing = reader.processor_milliseconds(path, TIMES // 5)
            found = sorted(took[name])
            cells = [f"{kind(env)}, {workflows:,}", name, f"{cold[name]:.0f}"]
            cells += [f"{statistics.median(found):.1f} / {found[-2]:.1f}", f"{computing:.1f}"]
            print(f"| {' | '.join(cells)} |", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overview", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workflows", type=int, nargs="+", default=[10, 100])
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--full", action="store_true", help="a million rows, 1,000 workflows too")
    options = parser.parse_args(arguments)
    if options.full:
        options.rows, options.workflows = 1_000_000, [10, 100, 1_000]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, databases(Path(folder)) as envs:
        for env in [one for one in envs if options.only in {None, kind(one)}]:
            for workflows in options.workflows:
                own = {**named(env, f"w{workflows}"), "HELD_WORKFLOWS": str(workflows)}
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.held", str(options.rows)],
                    env=own,
                    check=True,
                    capture_output=True,
                )
                seconds, periods = counted(own)
                print(f"\n{options.rows:,} rows were counted in {seconds} s: {periods} periods\n")
                print("| Database, workflows | Page | Cold, ms | p50 / p99 ms | Computing, ms |")
                print("| --- " * 5 + "|", flush=True)
                measure(own, options.rows, workflows)


if __name__ == "__main__":
    main(sys.argv[1:])
