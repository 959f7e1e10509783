"""python -m benchmarks.polling [--rows N]: many viewers of the list while rows change.

Each viewer asks every five seconds, as the page does, with the tag of its last answer; another
process changes a row every two seconds. Printed is what the web server used of one core.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import httpx

from benchmarks import __main__ as benchmarks
from benchmarks.listing import Web

EVERY, CHANGES_EVERY = 5.0, 2.0
HEAD = """\
| Database, rows | Viewers | Share of a core | p50 ms | p99 ms | Answers |
| --- | --- | --- | --- | --- | --- |"""
CHANGE = """
import os, sys, time, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()
from dashboard.models import Instance
while True:
    row = Instance.objects.newest_first()[7]
    row.status = "running" if row.status == "waiting" else "waiting"
    row.save(update_fields=["status"])
    time.sleep(float(sys.argv[1]))
"""


class Viewer(threading.Thread):
    """A page that is left open: it keeps its connection, and the tag of what it shows."""

    def __init__(self, url: str, session: str, begins_at: float, ends_at: float) -> None:
        super().__init__(daemon=True)
        self.url, self.begins_at, self.ends_at = url, begins_at, ends_at
        self.http = httpx.Client(cookies={"sessionid": session}, timeout=60)
        self.took: list[float] = []
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        headers, due = {"HX-Request": "true"}, self.begins_at
        while due < self.ends_at:
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.perf_counter()
            response = self.http.get(self.url, headers=headers)
            self.took.append((time.perf_counter() - began) * 1000)
            self.answers[response.status_code] += 1
            headers["HX-PTag"] = response.headers["HX-PTag"]
            due += EVERY


def line(env: Mapping[str, str], folder: Path, held: int, viewers: int, seconds: float) -> str:
    """One row of the table."""
    fill = [sys.executable, "-m", "benchmarks.held", str(held)]
    done = subprocess.run(fill, env=dict(env), check=True, capture_output=True, text=True)
    session = done.stdout.split()[-1]
    change = [sys.executable, "-c", CHANGE, str(CHANGES_EVERY)]
    with Web(folder, env) as web, subprocess.Popen(change, env=dict(env)) as changing:
        address = poll_address(web.url, session)
        begins_at = time.monotonic() + 3
        spread = (begins_at + EVERY * place / viewers for place in range(viewers))
        ends_at = begins_at + seconds
        all_of_them = [Viewer(address, session, moment, ends_at) for moment in spread]
        for viewer in all_of_them:
            viewer.start()
        time.sleep(max(0.0, begins_at - time.monotonic()))
        before, began = processor_seconds(web), time.monotonic()
        for viewer in all_of_them:
            viewer.join()
        share = (processor_seconds(web) - before) / (time.monotonic() - began)
        changing.kill()
    took = sorted(milliseconds for viewer in all_of_them for milliseconds in viewer.took)
    answers: Counter[int] = sum((viewer.answers for viewer in all_of_them), Counter())
    database = "postgresql" if "DATABASE_URL" in env else "sqlite"
    told = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    return (
        f"| {database}, {held:,} | {viewers} | {share:.1%} | {statistics.median(took):.1f} "
        f"| {took[len(took) * 99 // 100]:.1f} | {told} |"
    )


def poll_address(url: str, session: str) -> str:
    """What the page that is open asks for."""
    page = httpx.get(f"{url}/instances/", cookies={"sessionid": session}).text
    found = re.search(r'id="rows"[^>]*? hx-get="([^"]+)"', page, re.S)
    if found is None:
        raise RuntimeError("The page does not say where it is refreshed.")
    return url + html.unescape(found[1])


def processor_seconds(web: Web) -> float:
    """What all processes of the web server have used so far."""
    if web.process is None:
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == web.process.pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000], metavar="N")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args(arguments)
    print(HEAD, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        benchmarks.databases(Path(folder)) as environments,
    ):
        for env in environments:
            for held in options.rows:
                told = line(env, Path(folder), held, options.viewers, options.seconds)
                print(told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
