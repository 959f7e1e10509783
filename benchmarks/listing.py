"""python -m benchmarks.listing [--rows N …]: the instance list over HTTP, and other people's.

Each page is the whole answer of the web server as it runs in production. Ours and the peers' are
asked for in turns by the same client, from the same server, out of the same rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx

from benchmarks import __main__ as benchmarks
from dashboard.supervisor.address import free_port
from tests.servers.process import Server

HEAD = """\
| Database, rows | List | p50 ms | p99 ms | Ratio to the peer beside it |
| --- | --- | --- | --- | --- |"""
WARM_UP, TIMES, TIMES_OF_PEERS = 5, 100, 5
LINE = "| {} | {} | {:.1f} | {:.1f} | {} |"


def cases(now: datetime) -> Iterator[tuple[str, str, str]]:
    """What is measured: a name, our query, and the same for the admin ("" where it has none)."""
    week = [now - timedelta(days=days) for days in (14, 7)]
    range_ = f"created:>={week[0]:%Y-%m-%d} created:<{week[1]:%Y-%m-%d}"
    theirs = {"created_on__gte": week[0], "created_on__lt": week[1], "status__exact": "errored"}
    yield "all", "", ""
    yield "one status", "status:errored", "status__exact=errored"
    yield "three statuses, one rare", "status:running,waiting,paused", ""
    yield (
        "workflow, status, range",
        f"workflow:workflow-001 status:errored {range_}",
        urlencode({**theirs, "workflow__id__exact": 1}),
    )
    yield "search hit", "ship-1234", ""
    yield "search hit, part of an id", "a7f31", "q=a7f31"
    yield "search miss", "no-such-thing-anywhere", "q=no-such-thing-anywhere"


class Web(Server):
    """The web server as `manage.py up` starts it, with the peers' pages beside ours."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder)
        self.settings = env
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def argv(self) -> list[str]:
        command = [sys.executable, "-m", "gunicorn", "--config", "python:dashboard.gunicorn_conf"]
        return [*command, "--bind", f"127.0.0.1:{self.port}", "dashboard.wsgi"]

    def env(self) -> dict[str, str]:
        return {**self.settings, "DJANGO_SETTINGS_MODULE": "benchmarks.peers.settings"}

    def cwd(self) -> Path:
        return Path(__file__).resolve().parent.parent

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False


class Reader:
    """Somebody who is signed in, and keeps the connection."""

    def __init__(self, url: str, session: str) -> None:
        self.http = httpx.Client(base_url=url, cookies={"sessionid": session}, timeout=120)

    def milliseconds(self, path: str) -> float:
        began = time.perf_counter()
        response = self.http.get(path)
        took = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}.")
        return took

    def deepest(self) -> str:
        """The address of the last page but one, found from the list's other end."""
        first = self.http.get("/instances/?sort=created").text
        cursor = first.partition("after=")[2].partition('"')[0].partition("&")[0]
        found = self.http.get(f"/instances/?sort=created&after={cursor}").text
        before = found.partition("before=")[2].partition('"')[0].partition("&")[0]
        return f"/instances/?after={before}"


def measure(reader: Reader, pages: Mapping[str, str], times: int) -> dict[str, list[float]]:
    """Milliseconds of each page, asked for in turns; sorted."""
    for path in pages.values():
        for _ in range(min(WARM_UP, times)):
            reader.milliseconds(path)
    found: dict[str, list[float]] = {name: [] for name in pages}
    for _ in range(times):
        for name, path in pages.items():
            found[name].append(reader.milliseconds(path))
    return {name: sorted(took) for name, took in found.items()}


def lines(env: Mapping[str, str], folder: Path, held: int) -> Iterator[str]:
    """The rows of the table for one database that holds so many rows."""
    database = "postgresql" if "DATABASE_URL" in env else "sqlite"
    fill = [sys.executable, "-m", "benchmarks.held", str(held)]
    done = subprocess.run(fill, env=dict(env), check=True, capture_output=True, text=True)
    with Web(folder, env) as web:
        reader = Reader(web.url, done.stdout.split()[-1])
        known = list(cases(datetime.now(UTC)))
        ours = {name: f"/instances/?q={quote(q)}" if q else "/instances/" for name, q, _ in known}
        took = measure(reader, ours | {"deepest page": reader.deepest()}, TIMES)
        where = f"{database}, {held:,}"
        for name, milliseconds in took.items():
            yield line(where, name, milliseconds)
        for peer in ("plain", "tuned"):
            base = f"/peers/{peer}/dashboard/instance/"
            theirs = {name: f"{base}?{query}" for name, _, query in known if query or name == "all"}
            theirs["deepest page"] = f"{base}?p={held // 50}"
            yield from beside(reader, where, f"admin, {peer}", theirs, took)
        tables = "/peers/tables2/"
        theirs = {
            "all": tables,
            "one status": f"{tables}?status=errored",
            "deepest page": f"{tables}?page={held // 50}",
        }
        yield from beside(reader, where, "django-filter and django-tables2", theirs, took)


def beside(
    reader: Reader,
    where: str,
    peer: str,
    pages: Mapping[str, str],
    ours: Mapping[str, list[float]],
) -> Iterator[str]:
    """A peer's pages, each with how many times as long as ours it took."""
    for name, took in measure(reader, pages, TIMES_OF_PEERS).items():
        ratio = statistics.median(took) / statistics.median(ours[name])
        yield line(where, f"{name}: {peer}", took, f"**{ratio:.1f}**")


def line(where: str, name: str, took: list[float], ratio: str = "") -> str:
    p99 = took[min(len(took) - 1, len(took) * 99 // 100)]
    return LINE.format(where, name, statistics.median(took), p99, ratio)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    options = parser.parse_args(arguments)
    print(HEAD, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        benchmarks.databases(Path(folder)) as environments,
    ):
        for env in environments:
            for held in options.rows:
                for text in lines(env, Path(folder), held):
                    print(text, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    main(sys.argv[1:])
