"""One database, measured in a process of its own, which the environment points at it.

python -m benchmarks.measure WINDOW ROUNDS HELD...   prints one line of JSON for each HELD
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django.setup()

from django.conf import settings  # noqa: E402 -- models can be imported only now
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks import api, floor, product  # noqa: E402
from dashboard.cloudflare import Client, Credentials  # noqa: E402
from dashboard.models import Account, Instance, Workflow  # noqa: E402

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
        self.crowd = [self.workflow(f"held-{number}").pk for number in range(WORKFLOWS_HELD)]
        self.write = (
            floor.into_sqlite(connection.settings_dict["NAME"])
            if connection.vendor == "sqlite"
            else floor.into_postgres(settings.DATABASE_URL)
        )
        self.coming = api.rows(seed=2)
        self.held = 0

    def workflow(self, name: str) -> Workflow:
        return Workflow.objects.create(
            account=self.account, name=name, cloudflare_id=name, first_seen_at=timezone.now()
        )

    def hold(self, number: int) -> None:
        """Fills the table up to that many rows of other workflows."""
        while self.held < number:
            some = list(islice(self.coming, min(floor.BATCH, number - self.held)))
            self.write(self.crowd[self.held // floor.BATCH % WORKFLOWS_HELD], some)
            self.held += len(some)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def forget(self) -> None:
        """Takes the rows of the contestants away again, and what they leave behind."""
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM dashboard_instance WHERE workflow_id IN (%s, %s)",
                [self.ours.pk, self.floors.pk],
            )
            if connection.vendor != "sqlite":
                cursor.execute("VACUUM dashboard_instance")

    def run_floor(self) -> int:
        return floor.store(self.http, self.base_url, self.floors.pk, self.write)

    def run_product(self) -> int:
        return product.store(self.client, self.ours)

    def round(self, *, floor_first: bool) -> dict[str, float]:
        """Rows per second of both, fresh and unchanged, and what the unchanged ones wrote."""
        runs = {"floor": self.run_floor, "product": self.run_product}
        order = sorted(runs, reverse=not floor_first)
        speed = {f"{who} fresh": rate(runs[who]) for who in order}
        for who in order:
            before = product.written()
            speed[f"{who} unchanged"] = rate(runs[who])
            if who == "product":
                held = Instance.objects.filter(workflow=self.ours).count()
                speed["written"] = (product.written() - before) / held
        self.forget()
        return speed


def rate(run: Callable[[], int]) -> float:
    """Rows per second, with an empty rubbish bin to begin with."""
    gc.collect()
    began = time.perf_counter()
    number = run()
    return number / (time.perf_counter() - began)


def figures(bench: Bench, held: int, rounds: int) -> Figures:
    """All figures at this many rows held; ratios are medians of the ratios of each round."""
    bench.hold(held)
    size = product.database_bytes()
    bench.round(floor_first=True)  # Warms caches and statements.
    memory = product.memory_mb()
    speeds = [bench.round(floor_first=number % 2 == 0) for number in range(rounds)]
    found: Figures = {"database": connection.vendor, "held": held}
    for kind in ("fresh", "unchanged"):
        for who in ("floor", "product"):
            found[f"{who} {kind}"] = statistics.median(s[f"{who} {kind}"] for s in speeds)
        found[f"ratio {kind}"] = statistics.median(
            s[f"product {kind}"] / s[f"floor {kind}"] for s in speeds
        )
    found["written"] = statistics.median(speed["written"] for speed in speeds)
    found["memory"] = product.memory_mb() - memory
    found["page"] = product.page_ms()
    found["unfinished"] = product.page_ms(["running", "waiting", "queued"])
    found["size"] = size / held * 1_000_000 / 2**20
    return found


def main(window: int, rounds: int, *held: int) -> None:
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    with api.running(window) as base_url:
        bench = Bench(base_url)
        for number in held:
            print(json.dumps(figures(bench, number, rounds)), flush=True)


if __name__ == "__main__":
    main(*(int(text) for text in sys.argv[1:]))
