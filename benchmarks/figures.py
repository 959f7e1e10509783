"""python -m benchmarks.figures [--full] [--only KIND] [--workflows N]: the pages of figures.

Each page is the whole answer of the web server as it runs in production, asked for in turns by one
client, beside the plain list: of instances of which a month was learned, with groups of failures,
history, usual durations, and some that are stuck. *Cold* is the slowest answer of the first few,
before anything was worked out; what is worked out is kept for a minute. With --full of a million
instances, and then of 1,000 workflows.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from benchmarks.databases import databases, kind, named
from benchmarks.listing import FLOOR, LIST, Reader, p99
from benchmarks.web import Web

SIZES, FULL_SIZES = (10_000, 100_000), (10_000, 1_000_000)
WARM_UP, TIMES = 3, 100
WORKFLOW = "/accounts/a/workflows/workflow-000/"
#: A common cause, and one of the rarest.
COMMON, RARE = 1, 300
SEARCHES = (
    "is:stuck",
    "status:running",
    "status:running is:stuck",
    "is:stuck workflow:workflow-000",
    "due:<6h",
    f"group:{COMMON}",
    f"group:{COMMON} status:running",
    f"group:{RARE} status:errored",
    "status:errored -is:read",
    "is:kept",
)
PAGES = {
    FLOOR: "/peers/nothing/",
    "list": LIST,
    "overview": "/",
    "overview, since 1 h": "/?since=1h",
    "overview, since 24 h": "/?since=24h",
    "groups": "/groups/",
    "groups, 24 h": "/groups/?since=24h",
    "one group": f"/groups/{COMMON}/",
    "workflow": WORKFLOW,
    "forecast": "/forecast/",
    "metrics": "/metrics",
    **{search: f"{LIST}?q={quote(search)}" for search in SEARCHES},
}


class Learned(Reader):
    """A reader of rows of which a month was learned."""

    def __init__(self, env: Mapping[str, str], rows: int, web: Web) -> None:
        super().__init__(env, rows, web)
        command = [sys.executable, "-m", "benchmarks.learned"]
        subprocess.run(command, env=dict(env), check=True, capture_output=True)
        self.pages = PAGES


def table(readers: list[Learned]) -> Iterator[str]:
    """One line for each page; the readers by size, the smallest first."""
    sizes = " | ".join(f"{reader.rows:,}: cold, p50 / p99 ms" for reader in readers)
    yield f"| Page | {sizes} | Largest ÷ smallest | Computing, ms | ÷ list |"
    yield "| --- " * (4 + len(readers)) + "|"
    took: dict[tuple[int, str], list[float]] = {}
    for _ in range(WARM_UP + TIMES):
        for name, path in PAGES.items():
            for reader in readers:
                took.setdefault((reader.rows, name), []).append(reader.milliseconds(path))
    computing = {
        name: readers[-1].processor_milliseconds(path, TIMES // 4) for name, path in PAGES.items()
    }
    for name in PAGES:
        found = [took[reader.rows, name] for reader in readers]
        cold = [max(one[:WARM_UP]) for one in found]
        warm = [sorted(one[WARM_UP:]) for one in found]
        medians = [statistics.median(one) for one in warm]
        cells = [
            name,
            *(
                f"{first:.0f}, {median:.1f} / {p99(one):.1f}"
                for first, median, one in zip(cold, medians, warm, strict=True)
            ),
            f"**{medians[-1] / medians[0]:.2f}**",
            f"{computing[name]:.1f}",
            f"{computing[name] / computing['list']:.1f}",
        ]
        yield f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figures", description=__doc__)
    parser.add_argument("--full", action="store_true", help="with a million rows")
    parser.add_argument("--rows", type=int, nargs="+", metavar="N", help="other sizes")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one of the databases")
    parser.add_argument("--workflows", type=int, nargs="+", metavar="N", help="so many of them")
    options = parser.parse_args(arguments)
    sizes = sorted(options.rows or (FULL_SIZES if options.full else SIZES))
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        databases(Path(folder)) as environments,
    ):
        for env in environments:
            if options.only in {None, kind(env)}:
                for workflows in options.workflows or ([10, 1_000] if options.full else [10]):
                    print_table(env, sizes, workflows)


def print_table(env: Mapping[str, str], sizes: list[int], workflows: int) -> None:
    with ExitStack() as stack:
        readers = []
        for rows in sizes:
            own = {
                **named(env, f"figures-{workflows}-{rows}"),
                "HELD_WORKFLOWS": str(workflows),
            }
            readers.append(Learned(own, rows, stack.enter_context(Web(own))))
        print(f"\n{kind(env)}, {workflows:,} workflows\n", flush=True)
        for line in table(readers):
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
