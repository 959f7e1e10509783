"""python -m benchmarks.fingerprints: how well failures are grouped by their cause.

The labelled messages of tests/samples/errors, all as failures of one step: over all pairs of them,
how many that are grouped have the same cause (precision), and how many with the same cause are
grouped (recall). `held-out` was written before the rules and is not looked at to better them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path
from typing import NamedTuple

from dashboard.insight.fingerprint import Failure

SAMPLES = Path(__file__).resolve().parent.parent / "tests" / "samples" / "errors"
PARTS = {"seen": SAMPLES, "held-out": SAMPLES / "held-out"}


class Labelled(NamedTuple):
    """A message with its cause, and the fingerprint it gets."""

    cause: str
    message: str
    fingerprint: str


@dataclass(frozen=True)
class Score:
    """Pairs of messages: rightly together, wrongly together, wrongly apart."""

    together: int
    mixed: list[tuple[Labelled, Labelled]]
    apart: list[tuple[Labelled, Labelled]]

    @property
    def precision(self) -> float:
        return self.together / (self.together + len(self.mixed))

    @property
    def recall(self) -> float:
        return self.together / (self.together + len(self.apart))


def labelled(part: str) -> list[Labelled]:
    """Every message of a part of the set."""
    return [
        Labelled(told["cause"], message, Failure("step", told["name"], message).fingerprint)
        for path in sorted(PARTS[part].glob("*.json"))
        for told in json.loads(path.read_text())
        for message in told["messages"]
    ]


def score(messages: list[Labelled]) -> Score:
    """How the fingerprints of all pairs agree with their causes."""
    pairs = [*combinations(messages, 2)]
    same = [pair for pair in pairs if pair[0].fingerprint == pair[1].fingerprint]
    mixed = [pair for pair in same if pair[0].cause != pair[1].cause]
    apart = [
        (one, other)
        for one, other in pairs
        if one.cause == other.cause and one.fingerprint != other.fingerprint
    ]
    return Score(len(same) - len(mixed), mixed, apart)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fingerprints",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--full", action="store_true", help="each pair that is told wrongly, too")
    options = parser.parse_args(arguments)
    print("| part | messages | causes | precision | recall |\n| --- | --- | --- | --- | --- |")
    everything = {part: labelled(part) for part in PARTS}
    for part, messages in [
        *everything.items(),
        ("both", [*chain.from_iterable(everything.values())]),
    ]:
        found = score(messages)
        causes = len({one.cause for one in messages})
        numbers = f"{len(messages)} | {causes} | {found.precision:.3f} | {found.recall:.3f}"
        print(f"| {part} | {numbers} |")
        for word, pairs in (("mixed", found.mixed), ("apart", found.apart)):
            for one, other in pairs if options.full and part == "seen" else ():
                print(f"  {word}: {one.cause}: {one.message!r} / {other.cause}: {other.message!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
