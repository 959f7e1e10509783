"""python -m benchmarks.watching [--viewers N ...] [--full]: many people before one live instance.

Each keeps the page open as a browser does, over HTTP and through several web processes; printed is
how often Cloudflare was asked because of them, counted in the simulator's log.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import httpx

from benchmarks.databases import databases
from benchmarks.web import Web
from dashboard.simulator import server as simulator
from dashboard.simulator.server import Server

#: As static/js/instance.js asks; and `sync/watching.py` Cloudflare.
EVERY, PACE = 2.5, 5.0
PROCESSES = 3
HEAD = """\
| Database | Viewers | Seconds | Asked of Cloudflare | without steps | Share of a core | Answers |
| --- | --- | --- | --- | --- | --- | --- |"""


class Pages(Web):
    """The web server with the dashboard's own settings and nothing beside."""

    def env(self) -> dict[str, str]:
        return dict(self.settings)


class Viewer(threading.Thread):
    """A page that is left open; each poll takes a connection of its own, and so any process."""

    def __init__(self, url: str, session: str, begins_at: float, seconds: float) -> None:
        super().__init__(daemon=True)
        self.url, self.begins_at, self.ends_at = url, begins_at, begins_at + seconds
        self.cookies = {"sessionid": session}
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        headers, due = {"HX-Request": "true"}, self.begins_at
        while due < self.ends_at:
            time.sleep(max(0.0, due - time.monotonic()))
            response = httpx.get(self.url, headers=headers, cookies=self.cookies, timeout=60)
            self.answers[response.status_code] += 1
            headers["HX-PTag"] = response.headers.get("HX-PTag", "")
            due = max(due + EVERY, time.monotonic())  # What a busy machine missed is not made up.


def line(env: Mapping[str, str], viewers: int, seconds: float) -> str:
    """One row of the table."""
    with simulator.serve("empty", rate_limit=0) as account:
        instance_id = account.world.add_instance("orders", "running")
        watched = {
            **env,
            "WEB_WORKERS": str(PROCESSES),
            "CLOUDFLARE_API_BASE_URL": account.url,
            "CLOUDFLARE_ACCOUNT_ID": account.account_id,
            "CLOUDFLARE_API_TOKEN": account.token,
        }
        _run(watched, "manage.py", "collectstatic", "--noinput")
        session = _run(watched, "-m", "benchmarks.held", "0").split()[-1]
        with Pages(watched) as web:
            page = f"/accounts/{account.account_id}/workflows/orders/instances/{quote(instance_id)}"
            httpx.get(web.url + page, cookies={"sessionid": session}, timeout=60)
            begins_at = time.monotonic() + 2 * PACE - time.time() % PACE  # With a slot.
            all_of_them = [
                Viewer(web.url + page, session, begins_at + EVERY * place / viewers, seconds)
                for place in range(viewers)
            ]
            asked, share = _watch(account, web, all_of_them)
    database = "postgresql" if "DATABASE_URL" in env else "sqlite"
    answers: Counter[int] = sum((viewer.answers for viewer in all_of_them), Counter())
    told = ", ".join(f"{number} × {status}" for status, number in sorted(answers.items()))
    return (
        f"| {database}, {PROCESSES} processes | {viewers} | {seconds:.0f} | {asked.total()} "
        f"| {asked['simple=true']} | {share:.1%} | {told} |"
    )


def _run(env: Mapping[str, str], *command: str) -> str:
    """What the command prints, run in the dashboard's environment."""
    argv = [sys.executable, *command]
    done = subprocess.run(argv, env=dict(env), check=True, capture_output=True, text=True)
    return done.stdout


def _watch(account: Server, web: Web, viewers: list[Viewer]) -> tuple[Counter[str], float]:
    """Requests to the account by their query, and the part of a core that the web server used."""
    before, used, began = len(account.requests), web.processor_seconds(), time.monotonic()
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    asked = Counter(entry["query"] for entry in account.requests[before:])
    return asked, (web.processor_seconds() - used) / (time.monotonic() - began)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watching", description=__doc__)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 50])
    parser.add_argument("--full", action="store_true", help="a minute each, not 20 seconds")
    options = parser.parse_args(arguments)
    seconds = 60.0 if options.full else 20.0
    print(HEAD, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        databases(Path(folder)) as environments,
    ):
        for env in environments:
            for viewers in options.viewers:
                print(line(env, viewers, seconds), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
