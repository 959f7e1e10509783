"""Writes a batch down and dies in the middle: `python -m tests.operations.killed DATABASE USER`."""

from __future__ import annotations

import os
import signal
import sys
import uuid
from collections.abc import Iterator

import django


def main(database: str, user_pk: str) -> None:
    django.setup()

    from django.db import connection
    from django.utils import timezone

    from dashboard import operations
    from dashboard.models import User, Workflow
    from dashboard.models.operation import Kind

    def reading() -> Iterator[operations.New]:
        for number in range(1500):
            yield operations.New(f"new-{number}", {"line": number + 1}, has_own_id=True)
        os.kill(os.getpid(), signal.SIGKILL)

    connection.settings_dict["NAME"] = database
    user = User.objects.get(pk=user_pk)
    wanted = operations.Wanted(Kind.CREATE, user, uuid.uuid4(), "trial", {})
    operations.propose(Workflow.objects.get(), reading(), wanted, clock=timezone.now)


if __name__ == "__main__":
    main(*sys.argv[1:])
