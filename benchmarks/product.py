"""What is measured: the same pages through the dashboard's own client and into its own tables."""

from __future__ import annotations

import os

from django.db import connection
from django.utils import timezone

from dashboard.cloudflare import Client
from dashboard.models import Gap, Place, Workflow
from dashboard.sync import walk
from dashboard.sync.known import LONGEST_WORK
from dashboard.sync.pages import written_chunks


def back_fill(client: Client, workflow: Workflow) -> int:
    """Reads every page for the first time, in the slices that the back-fill reads them in; returns
    how many rows were new."""
    gap = Gap.objects.create(workflow=workflow, is_history=True, began_at=timezone.now())
    number, is_done = 0, False
    while not is_done:
        walked = walk.fill_gap(client, gap, limit=LONGEST_WORK, clock=timezone.now)
        number, is_done = number + walked.found, walked.is_done
    return number


def pass_over(client: Client, workflow: Workflow) -> int:
    """Reads every page again, as a walk does; returns how many rows there were."""
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
