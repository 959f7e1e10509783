"""python -m benchmarks.listing [--full] [--rows N …] [--only KIND]: the instance list over HTTP.

Each page is the whole answer of the web server as it runs in production, asked for in turns by one
client: of tables of all sizes, and then of the largest ours and other people's pages of the same
rows. The first line is the floor: whatever Django does for somebody who is signed in, and no page.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx

from benchmarks.databases import databases, filled, kind, named
from benchmarks.web import Web

FLOOR, DEEPEST = "(nothing)", "deepest page"
SIZES, FULL_SIZES = (10_000, 100_000), (10_000, 100_000, 1_000_000)
WARM_UP, TIMES, TIMES_OF_PEERS = 5, 100, 5
PAGE = 50


@dataclass(frozen=True)
class Case:
    """One list: the query of ours, and the same for the peers; None where one has no such thing."""

    name: str
    query: str
    admin: str | None = None
    tables: str | None = None


def cases(now: datetime) -> list[Case]:
    week = [now - timedelta(days=days) for days in (14, 7)]
    range_ = f"created:>={week[0]:%Y-%m-%d} created:<{week[1]:%Y-%m-%d}"
    theirs = {"created_on__gte": week[0], "created_on__lt": week[1], "status__exact": "complete"}
    narrow = f"workflow:workflow-000 status:complete {range_}"
    return [
        Case("all", "", "", ""),
        Case("one status", "status:complete", "status__exact=complete", "status=complete"),
        Case("three statuses, one rare", "status:running,waiting,paused"),
        Case("workflow, status, range", narrow, urlencode({**theirs, "workflow__id__exact": 1})),
        Case("search hit", "stolen-card"),
        Case("search miss", "no-such-thing-anywhere", "q=no-such-thing-anywhere"),
        Case("kept, and none is", "is:kept"),
    ]


class Reader:
    """Somebody who is signed in, and keeps the connection to the server of one database."""

    def __init__(self, env: Mapping[str, str], rows: int, web: Web) -> None:
        self.rows = rows
        self.web = web
        [session] = filled(env, rows)
        self.http = httpx.Client(base_url=web.url, cookies={"sessionid": session}, timeout=120)
        self.pages: dict[str, str] = {}

    def read_addresses(self) -> None:
        """Those of ours."""
        self.pages[FLOOR] = "/peers/nothing/"
        for case in cases(datetime.now(UTC)):
            self.pages[case.name] = f"/instances/?q={quote(case.query)}" if case.query else LIST
        first = self.http.get(f"{LIST}?sort=created").text
        found = self.http.get(f"{LIST}?sort=created&after={_cursor(first, 'after')}").text
        # The last page but one, found from the list's other end.
        self.pages[DEEPEST] = f"{LIST}?after={_cursor(found, 'before')}"

    def milliseconds(self, path: str) -> float:
        began = time.perf_counter()
        response = self.http.get(path)
        took = (time.perf_counter() - began) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}.")
        return took

    def shown(self, path: str) -> int:
        return self.http.get(path).text.count('<tr id="instance-')

    def processor_milliseconds(self, path: str, times: int) -> float:
        """What the server computes for one such page."""
        before = self.web.processor_seconds()
        for _ in range(times):
            self.milliseconds(path)
        return (self.web.processor_seconds() - before) * 1000 / times


LIST = "/instances/"


def _cursor(html: str, name: str) -> str:
    return html.partition(f"{name}=")[2].partition('"')[0].partition("&")[0]


def table(readers: list[Reader]) -> Iterator[str]:
    """The table of one kind of database; the readers by size, the smallest first."""
    for reader in readers:
        reader.read_addresses()
    small, large = readers[0], readers[-1]
    sizes = " | ".join(f"{reader.rows:,}: p50 / p99 ms" for reader in readers)
    yield f"| List | Shown | {sizes} | Largest ÷ smallest | Computing, ms | Admin | tables2 |"
    yield "| --- " * (6 + len(readers)) + "|"
    took = in_turns(readers)
    theirs = peers(large)
    for name in large.pages:
        found = [took[reader.rows, name] for reader in readers]
        medians = [statistics.median(one) for one in found]
        shown = [reader.shown(reader.pages[name]) for reader in (small, large)]
        computing = large.processor_milliseconds(large.pages[name], TIMES // 2)
        cells = [
            name,
            "–".join(map(str, dict.fromkeys(shown))),
            *(f"{statistics.median(one):.1f} / {p99(one):.1f}" for one in found),
            f"**{medians[-1] / medians[0]:.2f}**",
            f"{computing:.1f}",
            *(_times(theirs.get((peer, name)), medians[-1]) for peer in ("tuned", "tables2")),
        ]
        yield f"| {' | '.join(cells)} |"


def in_turns(readers: list[Reader]) -> dict[tuple[int, str], list[float]]:
    """Milliseconds of each of our pages by size and name, sorted."""
    found: dict[tuple[int, str], list[float]] = {}
    for turn in range(-WARM_UP, TIMES):
        for name in readers[0].pages:
            for reader in readers:
                took = reader.milliseconds(reader.pages[name])
                if turn >= 0:
                    found.setdefault((reader.rows, name), []).append(took)
    return {key: sorted(took) for key, took in found.items()}


def peers(reader: Reader) -> dict[tuple[str, str], float]:
    """The median of each page of theirs, by peer and the name of ours."""
    last = {"tuned": f"p={reader.rows // PAGE}", "tables2": f"page={reader.rows // PAGE}"}
    base = {"tuned": "/peers/tuned/dashboard/instance/", "tables2": "/peers/tables2/"}
    asked = {(peer, DEEPEST): query for peer, query in last.items()}
    for case in cases(datetime.now(UTC)):
        for peer, query in (("tuned", case.admin), ("tables2", case.tables)):
            if query is not None:
                asked[peer, case.name] = query
    found: dict[tuple[str, str], list[float]] = {key: [] for key in asked}
    for turn in range(-1, TIMES_OF_PEERS):
        for (peer, name), query in asked.items():
            took = reader.milliseconds(f"{base[peer]}?{query}")
            if turn >= 0:
                found[peer, name].append(took)
    return {key: statistics.median(took) for key, took in found.items()}


def p99(took: list[float]) -> float:
    """Of sorted times, what 99 of 100 do not exceed."""
    return took[min(len(took) - 1, len(took) * 99 // 100)]


def _times(theirs: float | None, ours: float) -> str:
    """How many times as long as ours a peer's page took."""
    return "" if theirs is None else f"{theirs:.0f} ms, **{theirs / ours:.1f}**"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.listing", description=__doc__)
    parser.add_argument("--full", action="store_true", help="with a million rows")
    parser.add_argument("--rows", type=int, nargs="+", metavar="N", help="other sizes")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one of the databases")
    options = parser.parse_args(arguments)
    sizes = sorted(options.rows or (FULL_SIZES if options.full else SIZES))
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        databases(Path(folder)) as environments,
    ):
        for env in environments:
            if options.only in {None, kind(env)}:
                print_table({rows: named(env, f"rows-{rows}") for rows in sizes})


def print_table(places: Mapping[int, Mapping[str, str]]) -> None:
    """`places`: the environment of the database with so many rows."""
    with ExitStack() as stack:
        readers = [Reader(env, rows, stack.enter_context(Web(env))) for rows, env in places.items()]
        print(f"\n{kind(next(iter(places.values())))}\n", flush=True)
        for line in table(readers):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
