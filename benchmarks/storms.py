"""python -m benchmarks.storms [--full] [--seed N]: random sequences of faults of both sides.

Each is a small account that is copied and operated on while answers are lost, lists lie, workers
are killed, clocks are set and people click twice; at its end no row may be missing and no action
doubled. A storm that ended badly is printed with its seed, and can be had again by it. 100 of them,
or with `--full` 1,000.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time

TEST = "tests/faults/test_storms.py"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.storms", description=__doc__)
    parser.add_argument("--full", action="store_true", help="1,000 storms")
    parser.add_argument("--seed", type=int, help="of the first; the others follow it")
    options = parser.parse_args(arguments)
    number, began = 1_000 if options.full else 100, time.monotonic()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    env = {**os.environ, "STORMS": str(number), "SEED": str(seed)}
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-s", TEST], env=env, check=False)
    print(f"{number:,} storms in {time.monotonic() - began:.0f} s")
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
