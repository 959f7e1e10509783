"""python -m benchmarks.bulk [--instances N]: ends many instances with real processes, and checks.

The simulator limits requests as Cloudflare does, with a quota that is larger by as much as there
is no time to wait: 1,200 in 5 minutes would take two hours for 5,000 instances. Three workers are
killed on the way and 5 % of the requests fail. Prints what became of them, and every contradiction
between what the dashboard says and what the simulator knows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from dashboard import simulator
from tests.operations.trial import Trial, settings_of
from tests.servers.dashboard import Dashboard


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--instances", type=int, default=5_000, metavar="N")
    parser.add_argument("--quota", type=int, default=60_000, help="requests in 5 minutes")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="bulk-") as folder,
        simulator.serve("empty", rate_limit=options.quota) as account,
        Dashboard(Path(folder), **settings_of(account)) as dashboard,
    ):
        trial = Trial(dashboard, account, options.instances)
        trial.prepare()
        items = trial.run(seconds=3_600)
        contradictions = trial.contradictions(items)
        refused = sum(kind == "refused 429" for kind in trial.faulty.values())
        print(f"{len(items):,} instances, {trial.took:.0f} s from the yes to the last outcome")
        print(f"outcomes: {dict(Counter(state for state, _ in items.values()))}")
        print(
            f"PATCHes: {sum(trial.patches.values()):,}, to one instance at most "
            f"{max(trial.patches.values())}"
        )
        print(
            f"requests: {sum(trial.answers.values()):,}, refused by the limit "
            f"{trial.answers[429] - refused}"
        )
        print(f"contradictions: {contradictions or 'none'}")
    return 1 if contradictions else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
