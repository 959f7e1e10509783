"""One database, measured in a process of its own, which the environment points at it.

python -m benchmarks.measure WINDOW ROUNDS HELD...   prints one line of JSON for each HELD
"""

from __future__ import annotations

import json
import os
import statistics
import sys

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402 -- models can be imported only now
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import api, floor, product  # noqa: E402
from benchmarks.clocks import Took, timed  # noqa: E402
from benchmarks.holding import hold  # noqa: E402
from dashboard.cloudflare import Client, Credentials  # noqa: E402
from dashboard.models import Account, Instance, Workflow, tallies  # noqa: E402

WORKFLOWS_HELD = 20
Figures = dict[str, float | str]


class Bench:
    """The two contestants on one database, with a workflow of their own each."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.http = httpx.Client(trust_env=False)
        self.client = Client("a", Credentials(token="t"), base_url=base_url)
        self.account = Account.objects.create(account_id="a", name="a")
        self.ours, self.floors = self.workflow("product"), self.workflow("floor")
        self.crowd = [self.workflow(f"held-{number}") for number in range(WORKFLOWS_HELD)]
        self.write = (
            floor.into_sqlite(connection.settings_dict["NAME"])
            if connection.vendor == "sqlite"
            else floor.into_postgres(settings.DATABASE_URL)
        )
        self.held = 0

    def workflow(self, name: str) -> Workflow:
        return Workflow.objects.create(
            account=self.account, name=name, cloudflare_id=name, first_seen_at=timezone.now()
        )

    def hold(self, number: int) -> None:
        """Fills the table up to that many rows of other workflows."""
        hold(self.crowd, self.held, number)
        self.held = number

    def forget(self) -> None:
        """Takes the rows of the contestants away again, and what they leave behind."""
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM dashboard_instance WHERE workflow_id IN (%s, %s)",
                [self.ours.pk, self.floors.pk],
            )
            if connection.vendor != "sqlite":
                cursor.execute("VACUUM dashboard_instance")
        for workflow in (self.ours, self.floors):
            tallies.recount(workflow.pk)

    def run_floor(self) -> int:
        return floor.store(self.http, self.base_url, self.floors.pk, self.write)

    def back_fill(self) -> int:
        return product.back_fill(self.client, self.ours)

    def pass_over(self) -> int:
        return product.pass_over(self.client, self.ours)

    def settle(self) -> None:
        """Ends what PostgreSQL put off: else who comes second pays for the search index of both."""
        if connection.vendor != "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("SELECT gin_clean_pending_list('search_ids')")

    def round(self, *, floor_first: bool) -> tuple[dict[str, Took], float]:
        """What a row takes both, fresh and unchanged; and what an unchanged one of ours writes."""
        fresh = {"floor": self.run_floor, "product": self.back_fill}
        again = {"floor": self.run_floor, "product": self.pass_over}
        order = sorted(fresh, reverse=not floor_first)
        took: dict[str, Took] = {}
        for who in order:
            took[f"{who} fresh"] = timed(fresh[who])
            self.settle()
        written = 0.0
        for who in order:
            before = product.written()
            took[f"{who} unchanged"] = timed(again[who])
            if who == "product":
                held = Instance.objects.filter(workflow=self.ours).count()
                written = (product.written() - before) / held
        self.forget()
        return took, written


def figures(bench: Bench, held: int, rounds: int) -> Figures:
    """All figures at this many rows held; ratios are of medians."""
    bench.hold(held)
    size = product.database_bytes()
    bench.round(floor_first=True)  # Warms caches and statements.
    memory = product.memory_mb()
    found: Figures = {"database": connection.vendor, "held": held}
    measured = [bench.round(floor_first=number % 2 == 0) for number in range(rounds)]
    for kind in ("fresh", "unchanged"):
        took = {
            who: Took(
                statistics.median(one[f"{who} {kind}"].wall for one, _ in measured),
                statistics.median(one[f"{who} {kind}"].cpu for one, _ in measured),
            )
            for who in ("floor", "product")
        }
        found |= {f"{who} {kind}": 1 / took[who].cpu for who in took}
        found[f"ratio {kind}"] = took["floor"].cpu / took["product"].cpu
        found[f"wall {kind}"] = took["floor"].wall / took["product"].wall
    found["written"] = statistics.median(written for _, written in measured)
    found["memory"] = product.memory_mb() - memory
    found["size"] = size / held * 1_000_000 / 2**20
    return found


def main(window: int, rounds: int, *held: int) -> None:
    call_command("migrate", verbosity=0)
    with api.running(window) as base_url:
        bench = Bench(base_url)
        for number in held:
            print(json.dumps(figures(bench, number, rounds)), flush=True)


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
