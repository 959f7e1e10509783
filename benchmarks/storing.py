"""python -m benchmarks.storing: storing pages of a list with the product and with the floor.

The same pages of a loopback API into the same table of the same database, in turns. A ratio is of
the medians of processor time, that of the database's processes included, so that what else the
machine does matters little; behind it, in brackets, the same by the clock on the wall.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.databases import databases

HEAD = """\
| Database, rows held | Fresh rows per CPU second: floor, product, ratio (wall) |\
 Unchanged: floor, product, ratio (wall) | Written per unchanged row | Memory | MB per million |
| --- | --- | --- | --- | --- | --- |"""
UNITS = {"sqlite": "rows", "postgresql": "bytes of WAL"}


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
        f"**{found[f'ratio {kind}']:.2f}** ({found[f'wall {kind}']:.2f})"
        for kind in ("fresh", "unchanged")
    ]
    cells = [
        f"{found['database']}, {found['held']:,}",
        *speeds,
        f"{found['written']:.1f} {UNITS[found['database']]}",
        f"{found['memory']:+.1f} MB",
        f"{found['size']:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storing", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--full", action="store_true", help="a million rows held as well")
    parser.add_argument("--window", type=int, default=10_000, help="rows stored in each round")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args(arguments)
    held = [*options.rows, 1_000_000] if options.full else options.rows
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, databases(Path(folder)) as envs:
        for env in envs:
            for found in measured(env, [options.window, options.rounds, *held]):
                print(row(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
