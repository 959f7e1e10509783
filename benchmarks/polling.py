"""python -m benchmarks.polling [--full] [--only KIND]: many viewers of the list while rows change.

Each viewer is signed in by itself and asks every five seconds, as the page does, with the tag of
its last answer; another process changes a row every two seconds. Printed is what the web server
used of one core, and below it the floor: as many requests for a page that says nothing.
"""

from __future__ import annotations

import argparse
import html
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.databases import databases, filled, kind, named
from benchmarks.web import Web

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
    """A page that is left open: it keeps its connection, and the tag of what it shows.

    By `http.client`, for there are two hundred beside the server on one machine.
    """

    def __init__(self, url: str, session: str) -> None:
        super().__init__(daemon=True)
        self.address = urlsplit(url)
        self.headers = {"Cookie": f"sessionid={session}", "HX-Request": "true"}
        self.begins_at = self.ends_at = 0.0
        self.took: list[float] = []
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        http = HTTPConnection(self.address.netloc, timeout=60)
        path, due = f"{self.address.path}?{self.address.query}", self.begins_at
        while due < self.ends_at:
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.perf_counter()
            http.request("GET", path, headers=self.headers)
            response = http.getresponse()
            response.read()
            self.took.append((time.perf_counter() - began) * 1000)
            self.answers[response.status] += 1
            if tag := response.headers.get("HX-PTag"):
                self.headers["HX-PTag"] = tag
            due += EVERY


def line(env: Mapping[str, str], held: int, viewers: int, seconds: float) -> Iterator[str]:
    """The rows of the table for one database: the list, and below it the floor."""
    sessions = filled(env, held, viewers)
    change = [sys.executable, "-c", CHANGE, str(CHANGES_EVERY)]
    with Web(env) as web, subprocess.Popen(change, env=dict(env)) as changing:
        address = poll_address(web.url, sessions[0])
        where = f"{kind(env)}, {held:,}"
        yield f"| {where} | {measured(web, address, sessions, seconds)} |"
        changing.kill()
        yield f"| (nothing) | {measured(web, f'{web.url}/peers/nothing/', sessions, seconds)} |"


def measured(web: Web, address: str, sessions: list[str], seconds: float) -> str:
    """The cells of one row."""
    crowd = [Viewer(address, session) for session in sessions]
    begins_at = time.monotonic() + 2
    for place, viewer in enumerate(crowd):
        viewer.begins_at = begins_at + EVERY * place / len(crowd)
        viewer.ends_at = begins_at + seconds
        viewer.start()
    time.sleep(max(0.0, begins_at - time.monotonic()))
    before, began = web.processor_seconds(), time.monotonic()
    for viewer in crowd:
        viewer.join()
    share = (web.processor_seconds() - before) / (time.monotonic() - began)
    took = sorted(milliseconds for viewer in crowd for milliseconds in viewer.took)
    answers: Counter[int] = sum((viewer.answers for viewer in crowd), Counter())
    told = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    return (
        f"{len(crowd)} | {share:.1%} | {statistics.median(took):.1f} "
        f"| {took[len(took) * 99 // 100]:.1f} | {told}"
    )


def poll_address(url: str, session: str) -> str:
    """What the page that is open asks for."""
    page = httpx.get(f"{url}/instances/", cookies={"sessionid": session}).text
    found = re.search(r'id="rows"[^>]*? hx-get="([^"]+)"', page, re.S)
    if found is None:
        raise RuntimeError("The page does not say where it is refreshed.")
    return url + html.unescape(found[1])


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description=__doc__)
    parser.add_argument("--full", action="store_true", help="of a million rows")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one of the databases")
    options = parser.parse_args(arguments)
    held = 1_000_000 if options.full else 10_000
    print(HEAD, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        databases(Path(folder)) as environments,
    ):
        for env in environments:
            if options.only in {None, kind(env)}:
                for told in line(named(env, "polled"), held, options.viewers, options.seconds):
                    print(told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
