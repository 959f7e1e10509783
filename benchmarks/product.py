"""What is measured: the same pages through the dashboard's own client and into its own tables."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable

from django.db import connection
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from dashboard.cloudflare import Client
from dashboard.models import Place, User, Workflow
from dashboard.sync.pages import written_chunks


def store(client: Client, workflow: Workflow) -> int:
    """Copies every page as a walk does; returns how many rows there were."""
    begin = Place(timezone.now())
    chunks = written_chunks(client, workflow, begin, clock=timezone.now)
    return sum(len(chunk.rows) for chunk in chunks)


def written() -> int:
    """A number that grows with what the database writes: bytes of WAL, or rows in SQLite."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return int(connection.connection.total_changes)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def database_bytes() -> int:
    """What the instances take with their indexes; in SQLite the whole file, which is nearly so."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return os.stat(connection.settings_dict["NAME"]).st_size
        cursor.execute("SELECT pg_total_relation_size('dashboard_instance')")
        return int(cursor.fetchone()[0])


def memory_mb() -> float:
    """What this process holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def page_ms(statuses: Iterable[str] = (), *, times: int = 20) -> float:
    """The median of a whole response of the instance list."""
    user, _ = User.objects.get_or_create(username="bench", defaults={"role": "viewer"})
    browser = Browser(headers={"host": "localhost"})
    browser.force_login(user)
    took = []
    for _ in range(times + 1):  # The first one compiles the templates.
        began = time.perf_counter()
        response = browser.get(reverse("instances"), {"status": [*statuses]})
        took.append((time.perf_counter() - began) * 1000)
        if response.status_code != 200:
            raise RuntimeError(f"The list answered {response.status_code}.")
    return statistics.median(took[1:])
