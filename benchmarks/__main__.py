"""python -m benchmarks [--full | --rows N …]: the figures of the README, each beside its floor.

SQLite, and PostgreSQL where it is installed. Look at ratios: both sides of each were measured in
turns within one run, so they hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.servers.postgres import Postgres
from tests.servers.process import NotInstalled

HEAD = """\
| Database, rows held | Fresh rows/s: floor, product, ratio | Unchanged: floor, product, ratio |\
 Written per unchanged row | Memory | List page p50 | of 3 unfinished statuses | MB per million |
| --- | --- | --- | --- | --- | --- | --- | --- |"""
UNITS = {"sqlite": "rows", "postgresql": "bytes of WAL"}


@contextmanager
def databases(folder: Path) -> Iterator[list[dict[str, str]]]:
    """The environment of each database: SQLite, and PostgreSQL if it is there."""
    own = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    sqlite = own | {"DATA_DIR": str(folder)}
    try:
        server = Postgres(folder)
    except NotInstalled as missing:
        print(f"{missing}, so only SQLite is measured.", file=sys.stderr)
        yield [sqlite]
        return
    with server:
        yield [sqlite, sqlite | {"DATABASE_URL": server.url}]


def measured(env: dict[str, str], arguments: list[int]) -> Iterator[dict[str, Any]]:
    """The figures of one database, as they come."""
    argv = [sys.executable, "-m", "benchmarks.measure", *map(str, arguments)]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        sys.exit(process.returncode)


def row(found: dict[str, Any]) -> str:
    """One row of the table."""
    speeds = [
        f"{found[f'floor {kind}']:,.0f}, {found[f'product {kind}']:,.0f}, "
        f"**{found[f'ratio {kind}']:.2f}**"
        for kind in ("fresh", "unchanged")
    ]
    cells = [
        f"{found['database']}, {found['held']:,}",
        *speeds,
        f"{found['written']:.1f} {UNITS[found['database']]}",
        f"{found['memory']:+.1f} MB",
        f"{found['page']:.0f} ms",
        f"{found['unfinished']:.0f} ms",
        f"{found['size']:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--full", action="store_true", help="a million rows held as well")
    parser.add_argument("--window", type=int, default=5_000, help="rows stored in each round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    held = [*options.rows, 1_000_000] if options.full else options.rows
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, databases(Path(folder)) as envs:
        for env in envs:
            for found in measured(env, [options.window, options.rounds, *held]):
                print(row(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
