"""python -m benchmarks.backfill: the first back-fill beside what the budget alone dictates.

The product's own turns, through the shared budget in Redis, with a clock that only waiting and
requests move. Each size is read once in peace, and once interrupted before random pages, each of
which costs a pause of at most 15 s. Behind the pages asked for: how many of them a second time.
`--full` reads a million instances as well.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 -- models can be imported only now

from benchmarks import api  # noqa: E402
from dashboard import sync  # noqa: E402
from dashboard.cloudflare import Client, Credentials, Lane, Spender  # noqa: E402
from dashboard.cloudflare.budget import TERMS, bucket  # noqa: E402
from dashboard.cloudflare.errors import Unreachable  # noqa: E402
from dashboard.cloudflare.redis_budget import RedisBudget  # noqa: E402
from dashboard.models import Account, Gap, Instance, Workflow  # noqa: E402
from tests.servers.redis import Redis  # noqa: E402

SHARE = 0.6
REQUEST_SECONDS = 0.15
INTERRUPTIONS = 20
HEAD = """\
| Instances, interruptions | The budget alone | Taken | Ratio | Pages asked for, again |\
 Processor time |
| --- | --- | --- | --- | --- | --- |"""


class Clock:
    """Seconds that only waiting and requests move."""

    def __init__(self) -> None:
        self.seconds = api.NEWEST.timestamp()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class Interrupted(RedisBudget):
    """The shared budget, which fails instead of letting some requests through."""

    clock: Clock
    failing: set[int]
    passed = 0

    def spend(self, lane: Lane, spender: Spender) -> None:
        if self.passed in self.failing:
            self.failing.remove(self.passed)
            raise Unreachable("Interrupted.", was_sent=False)
        super().spend(lane, spender)
        self.passed += 1
        self.clock.sleep(REQUEST_SECONDS)


def dictated(pages: int) -> float:
    """Seconds in which the budget lets so many requests of the back-fill through, one by one."""
    tokens = bucket(SHARE)
    at_once = tokens.burst * (1 - TERMS[Lane.BACKFILL].reserve)
    return max(pages * REQUEST_SECONDS, (pages - at_once) / tokens.rate)


def back_fill(client: Client, account: Account, clock: Clock) -> None:
    """All turns until nothing is missing, each when it is due."""
    while Gap.objects.exists():
        sync.back_fill(client, account, clock=clock)
        account.refresh_from_db()
        due = account.next_history_at
        if due and due > clock():
            clock.sleep((due - clock()).total_seconds())


def measured(number: int, interruptions: int, redis_url: str) -> str:
    """One row of the table."""
    pages = -(-number // api.PER_PAGE)
    clock = Clock()
    gate = Interrupted(
        redis_url, f"{number}-{interruptions}", share=SHARE,
        clock=lambda: clock.seconds, sleep=clock.sleep,
    )  # fmt: skip
    gate.clock = clock
    gate.failing = set(random.Random(number).sample(range(pages), interruptions))
    account = Account.objects.create(account_id="a", name="a")
    workflow = Workflow.objects.create(
        account=account, name="w", cloudflare_id="w", first_seen_at=clock()
    )
    Gap.objects.create(workflow=workflow, is_history=True, began_at=clock(), rows=number)
    began, cpu = clock.seconds, time.process_time()
    with (
        api.running(number) as base_url,
        Client("a", Credentials(token="t"), base_url=base_url, gate=gate, tries=1) as client,
    ):
        back_fill(client, account, clock)
    taken, cpu = clock.seconds - began, time.process_time() - cpu
    held = Instance.objects.filter(workflow=workflow).count()
    if held != number:
        sys.exit(f"{held} of {number} instances were stored.")
    account.delete()
    least = dictated(pages)
    cells = [
        f"{number:,}, {interruptions}", str(timedelta(seconds=round(least))),
        str(timedelta(seconds=round(taken))), f"**{taken / least:.3f}**",
        f"{gate.passed:,}, {gate.passed - pages}", f"{cpu:,.0f} s",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--full", action="store_true", help="a million instances as well")
    parser.add_argument("--inside", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    sizes = [*options.rows, 1_000_000] if options.full else options.rows
    if not options.inside:
        run_apart(sizes)
        return
    call_command("migrate", verbosity=0)
    print(HEAD, flush=True)
    with Redis(Path(options.inside)) as redis:
        for number in sizes:
            for interruptions in (0, INTERRUPTIONS):
                print(measured(number, interruptions, redis.url), flush=True)


def run_apart(sizes: list[int]) -> None:
    """In a process of its own, with an empty database."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        argv = [sys.executable, "-m", "benchmarks.backfill", "--inside", folder]
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        rows = ["--rows", *map(str, sizes)]
        subprocess.run([*argv, *rows], env=env | {"DATA_DIR": folder}, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
