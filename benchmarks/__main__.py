"""python -m benchmarks [NAME ...] [--full]: the figures of the README, each beside its floor.

Each section is a module of this name with a `main(arguments)`, and can be run alone with options
of its own: python -m benchmarks.storing --help. `--full` takes many minutes. Look at ratios: both
sides of each were measured in turns within one run, so they hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

SECTIONS = (
    "storing",
    "backfill",
    "freshness",
    "listing",
    "figures",
    "polling",
    "crowd",
    "storms",
    "bulk",
    "watching",
    "instance_page",
    "fingerprints",
    "alarms",
)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SECTIONS)}")
    parser.add_argument("--full", action="store_true", help="the sizes that take long as well")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(SECTIONS):
        parser.error(f"There is no section {', '.join(sorted(unknown))}.")
    for name in options.names or SECTIONS:
        print(f"\n## {name}\n", flush=True)
        import_module(f"benchmarks.{name}").main(["--full"] if options.full else [])


if __name__ == "__main__":
    main(sys.argv[1:])
