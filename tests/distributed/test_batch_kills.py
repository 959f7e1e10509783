"""Workers killed in the middle of a batch of new instances: none is asked for twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.models import Item, Operation, Workflow
from dashboard.models.operation import Stage
from dashboard.simulator.messages import Request, Response
from tests.distributed.house import COPY, House

pytestmark = pytest.mark.start

NUMBER = 900
BEGIN = f"""
import uuid
from django.utils import timezone
from dashboard import operations
from dashboard.models import User, Workflow
from dashboard.models.operation import Kind, Stage
user, _ = User.objects.get_or_create(username="olga", role="operator")
wanted = operations.Wanted(kind=Kind.CREATE, user=user, key=uuid.uuid4(), reason="trial")
new = (operations.New(f"n-{{i}}", {{"line": i + 1}}, has_own_id=True) for i in range({NUMBER}))
operation, _ = operations.propose(Workflow.objects.get(), new, wanted, clock=timezone.now)
operations.steer(operation, Stage.RUNNING, user, now=timezone.now())
"""


def test_a_batch_survives_three_killed_workers(build: Callable[..., House]) -> None:
    house, asked = build("empty", rate_limit=6_000), Counter[str]()
    account = house.account
    account.world.add_instance("orders", "complete", instance_id="n-777")
    count_batches(account, asked)
    house.start_dashboard()
    workflows, items = Workflow.objects.using(COPY), Item.objects.using(COPY)
    house.wait_for("the workflow is known", workflows.exists, every=0.5)

    house.shell(BEGIN)
    for mark in (1, 226, 526):
        house.wait_for("it goes on", lambda mark=mark: len(asked) >= mark, 300)  # type: ignore[misc]
        house.kill_worker("fresh")
    operations = Operation.objects.using(COPY)
    house.wait_for("its end", lambda: operations.get().stage == Stage.FINISHED, 300, every=0.5)

    told = dict(items.values_list("instance_id", "state"))
    there = set(account.world.workflows["orders"].instances)
    assert set(asked.values()) == {1}
    assert len(told) == NUMBER
    assert {one for one, state in told.items() if state == "done"} == there & {*told} - {"n-777"}
    assert told["n-777"] == "skipped"


def count_batches(account: Any, asked: Counter[str]) -> None:
    """Counts how often each instance is asked for."""
    handle = account.service.handle

    def seen(request: Request) -> Response:
        if request.method == "POST" and request.path.endswith("/batch"):
            asked.update(entry["instance_id"] for entry in json.loads(request.body))
        response: Response = handle(request)
        return response

    account.service.handle = seen
