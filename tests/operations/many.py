"""What the tests of operations on many share: beginning one, and working on it until it is over."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from dashboard import operations
from dashboard.models import Instance, Operation, User
from dashboard.models.operation import Kind
from dashboard.operations import Terms, Wanted
from tests.fixtures import Watched


def add(watched: Watched, state: str, number: int, **facts: Any) -> list[str]:
    """Places so many instances, and copies them here."""
    ids = [watched.add(state, instance_id=f"i-{index:04}", **facts) for index in range(number)]
    watched.sync()
    return ids


def begin(
    watched: Watched,
    user: User,
    kind: Kind,
    *,
    arguments: dict[str, Any] | None = None,
    key: uuid.UUID | None = None,
    **terms: Any,
) -> Operation:
    """An operation on every instance that is known here."""
    wanted = Wanted(
        kind=kind,
        user=user,
        key=key or uuid.uuid4(),
        reason="paged at 03:00",
        arguments=arguments or {},
    )
    operation, _ = operations.begin(
        Instance.objects.all(), wanted, Terms(**terms), now=watched.clock()
    )
    return operation


def work(watched: Watched, operation: Operation, *, rounds: int = 400, seconds: float = 1) -> None:
    """What a worker does, every so many seconds, until nothing is due any more."""
    for _ in range(rounds):
        operations.run(operation.pk, lambda _: watched.client, clock=watched.clock)
        operation.refresh_from_db()
        if operation.next_run_at is None:
            return
        watched.advance(seconds)


def states(operation: Operation) -> dict[str, int]:
    return dict(Counter(operation.items.values_list("state", flat=True)))


def patched(watched: Watched) -> Counter[str]:
    """How often each instance was sent a PATCH."""
    return Counter(
        entry["path"].split("/")[-2]
        for entry in watched.server.requests
        if entry["method"] == "PATCH"
    )
