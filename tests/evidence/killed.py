"""Keeps a snapshot, and dies in the middle: `python -m tests.evidence.killed DATABASE INSTANCE`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django


def main(database: str, instance_id: str) -> None:
    django.setup()

    from django.db import connection, transaction
    from django.utils import timezone

    from dashboard.models import InstanceDetail, Snapshot, Why

    def die(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        told = execute(sql, *rest)
        if sql.startswith('INSERT INTO "dashboard_snapshot"'):
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    connection.settings_dict["NAME"] = database
    known = InstanceDetail.objects.get(instance__instance_id=instance_id)
    with connection.execute_wrapper(die), transaction.atomic():
        Snapshot.objects.keep(known, Why.PINNED, now=timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
