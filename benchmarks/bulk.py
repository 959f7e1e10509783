"""python -m benchmarks.bulk [--instances N]: ends many instances with real processes, and checks.

Cloudflare's limit and the budget below it as they are, but the window of 300 seconds is one of 12
for both: 5,000 instances would else take an hour and a half. 5 % of the requests that end them
fail, and three workers are killed on the way. Once all was sent, the two minutes in which a lost
answer is watched are not waited for: it is looked at once more.
Prints what became of them, and every contradiction between what the dashboard says and what the
simulator knows.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from dashboard import simulator  # noqa: E402 -- models can be imported only now
from dashboard.cloudflare import Lane, budget  # noqa: E402
from dashboard.models.operation import Kind  # noqa: E402
from dashboard.operations import planning  # noqa: E402
from dashboard.simulator.ratelimit import RateLimit  # noqa: E402
from tests.distributed.house import House, new_database, settings_of  # noqa: E402
from tests.operations.trial import Trial  # noqa: E402
from tests.servers.postgres import Postgres  # noqa: E402
from tests.servers.redis import Redis  # noqa: E402

WINDOW = 12
SHARE = 0.6


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--full", action="store_true", help="5,000 instances, else 500")
    parser.add_argument("--instances", type=int, metavar="N")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args(arguments)
    number = options.instances or (5_000 if options.full else 500)
    found = []
    for name in [options.only] if options.only else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="bulk-") as folder:
            if name == "sqlite":
                found += run(number, Path(folder))
            else:
                with Postgres(Path(folder)) as server:
                    found += run(number, Path(folder), server.new_database())
    return 1 if found else 0


def run(number: int, folder: Path, url: str = "") -> list[str]:
    """One trial on one database; prints its figures and returns the contradictions."""
    with (
        simulator.serve("empty") as account,
        Redis(folder) as redis,
        new_database(folder, url) as named,
    ):
        account.service.api.limit = RateLimit(budget.QUOTA, window=WINDOW)
        settings = named | settings_of(account, redis) | {"BUDGET_SHARE": f"{SHARE:.0%}"[:-1]}
        house = House(folder, account, redis, settings)
        trial = Trial(house, number)
        trial.prepare()
        house.start_dashboard()
        try:
            items = trial.run(seconds=1_800, is_hurried=True)
        finally:
            house.stop()
        contradictions = trial.contradictions(items)
        show("postgresql" if url else "sqlite", trial, items)
        print(f"contradictions: {contradictions or 'none'}\n", flush=True)
    return contradictions


def show(name: str, trial: Trial, items: dict[str, tuple[str, str]]) -> None:
    pace = budget.part_of(budget.bucket(SHARE, window=WINDOW), Lane.BULK)
    least = (planning.calls(Kind.TERMINATE, trial.number) - pace.burst) / pace.rate
    refused = sum(kind == "refused 429" for kind in trial.faulty.values())
    print(f"{name}: {len(items):,} instances, {trial.took:.0f} s from the yes to the last outcome")
    print(f"of the time that the preview says: {trial.took / least:.2f} ({least:.0f} s)")
    print(f"outcomes: {dict(Counter(state for state, _ in items.values()))}")
    print(f"PATCHes: {trial.patches.total():,}, to one instance {max(trial.patches.values())}")
    print(f"requests: {trial.answers.total():,}, over the limit {trial.answers[429] - refused}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
