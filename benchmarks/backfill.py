"""python -m benchmarks.backfill: the first back-fill beside what the budget alone dictates.

The product's own turns, through the shared budget in Redis, with a clock that only waiting and
requests move. Each size is read once in peace, and once killed before random pages: then nothing is
tidied up, and another process goes on when the lease of the killed one has ended. Behind the pages
asked for: how many of them a second time. The processor time is the worker's, without a
PostgreSQL's. `--full` reads a million instances as well.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.core.management import call_command  # noqa: E402 -- models can be imported only now
from django.db import connection  # noqa: E402

from benchmarks import api  # noqa: E402
from benchmarks.databases import databases  # noqa: E402
from dashboard import sync  # noqa: E402
from dashboard.cloudflare import Client, Credentials, Lane, Spender  # noqa: E402
from dashboard.cloudflare.budget import TERMS, bucket  # noqa: E402
from dashboard.cloudflare.redis_budget import RedisBudget  # noqa: E402
from dashboard.models import Account, Gap, Instance, Workflow, leases  # noqa: E402
from dashboard.sync.account import LEASE  # noqa: E402
from tests.servers.redis import Redis  # noqa: E402

SHARE = 0.6
REQUEST_SECONDS = 0.15
KILLS = 20
HEAD = """\
| Database, instances, kills | The budget alone | Taken | Ratio | Pages asked for, again |\
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


class Killed(BaseException):
    """What no code catches: the process is gone."""


class Killing(RedisBudget):
    """The shared budget, which kills instead of letting some requests through."""

    clock: Clock
    killing: set[int]
    passed = 0

    def spend(self, lane: Lane, spender: Spender) -> None:
        if self.passed in self.killing:
            self.killing.remove(self.passed)
            raise Killed
        super().spend(lane, spender)
        self.passed += 1
        self.clock.sleep(REQUEST_SECONDS)


def dictated(pages: int) -> float:
    """Seconds in which the budget lets so many requests of the back-fill through, one by one."""
    tokens = bucket(SHARE)
    at_once = tokens.burst * (1 - TERMS[Lane.BACKFILL].reserve)
    return max(pages * REQUEST_SECONDS, (pages - at_once) / tokens.rate)


def back_fill(client: Client, account: Account, clock: Clock) -> None:
    """All turns until nothing is missing, each when it is due and nobody else has the lease."""
    while Gap.objects.exists():
        if leases.take(account, "history_leased_until", now=clock(), duration=LEASE):
            with suppress(Killed):
                sync.back_fill(client, account, clock=clock)
        account.refresh_from_db()
        waits = [account.next_history_at, account.history_leased_until]
        due = max((moment for moment in waits if moment), default=clock())
        clock.sleep(max(0.001, (due - clock()).total_seconds() + 0.001))


def measured(number: int, kills: int, redis_url: str) -> str:
    """One row of the table."""
    pages = -(-number // api.PER_PAGE)
    clock = Clock()
    gate = Killing(
        redis_url, f"{number}-{kills}", share=SHARE,
        clock=lambda: clock.seconds, sleep=clock.sleep,
    )  # fmt: skip
    gate.clock = clock
    gate.killing = set(random.Random(number).sample(range(pages), kills))
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
    least = dictated(pages)
    cells = [
        f"{connection.vendor}, {number:,}, {kills}", str(timedelta(seconds=round(least))),
        str(timedelta(seconds=round(taken))), f"**{taken / least:.3f}**",
        f"{gate.passed:,}, {gate.passed - pages}", f"{cpu:,.0f} s",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backfill", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], metavar="N")
    parser.add_argument("--full", action="store_true", help="a million instances as well")
    parser.add_argument("--inside", metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--kills", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        call_command("migrate", verbosity=0)
        with Redis(Path(options.inside)) as redis:
            print(measured(options.rows[0], options.kills, redis.url), flush=True)
        return
    print(HEAD, flush=True)
    for number in [*options.rows, 1_000_000] if options.full else options.rows:
        for kills in (0, KILLS):
            run_apart(number, kills)


def run_apart(number: int, kills: int) -> None:
    """In a process of its own for each database, which is empty."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, databases(Path(folder)) as envs:
        for env in envs:
            argv = [sys.executable, "-m", "benchmarks.backfill", "--inside", folder]
            asked = ["--rows", str(number), "--kills", str(kills)]
            subprocess.run([*argv, *asked], env=env, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
