"""A batch of new instances with real processes, killed on the way: none is asked for twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dashboard import simulator
from dashboard.simulator.messages import Request, Response
from tests.operations.trial import COPIED, Trial, settings_of, wait
from tests.servers.dashboard import Dashboard

pytestmark = pytest.mark.start

NUMBER = 900
BEGIN = f"""
import uuid
from django.utils import timezone
from dashboard import operations
from dashboard.models import Operation, User, Workflow
from dashboard.models.operation import Kind, Stage
user, _ = User.objects.get_or_create(username="olga", role="operator")
wanted = operations.Wanted(kind=Kind.CREATE, user=user, key=uuid.uuid4(), reason="trial")
new = (operations.New(f"n-{{i}}", {{"line": i + 1}}, has_own_id=True) for i in range({NUMBER}))
operation, _ = operations.propose(Workflow.objects.get(), new, wanted, now=timezone.now())
Operation.objects.update(stop_above=100)
operations.steer(operation, Stage.RUNNING, user, now=timezone.now())
"""


def test_a_batch_survives_three_killed_workers(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()
    with (
        simulator.serve("empty", rate_limit=6_000) as account,
        Dashboard(tmp_path, **settings_of(account)) as dashboard,
    ):
        account.world.add_instance("orders", "complete", instance_id="n-777")
        handle = account.service.handle

        def seen(request: Request) -> Response:
            if request.method == "POST" and request.path.endswith("/batch"):
                asked.update(entry["instance_id"] for entry in json.loads(request.body))
            response: Response = handle(request)
            return response

        account.service.handle = seen  # type: ignore[method-assign]
        trial = Trial(dashboard, account, NUMBER)
        deadline = time.monotonic() + 300
        wait(lambda: int(trial.shell(COPIED)) == 1, deadline, every=2)
        trial.shell(BEGIN)
        for mark in (1, 226, 526):
            wait(lambda mark=mark: len(asked) >= mark, deadline, every=0.01)
            trial.kill_worker()
        wait(
            lambda: trial.outcome()["stage"] == "finished",
            deadline,
            every=2,
            meanwhile=trial.hurry,
        )
        items: list[Any] = trial.outcome()["items"]
        there = set(account.world.workflows["orders"].instances)

    assert set(asked.values()) == {1}
    told = {instance_id: state for instance_id, state, _ in items}
    assert len(told) == NUMBER
    assert {one for one, state in told.items() if state == "done"} == there & {*told} - {"n-777"}
    assert told["n-777"] == "skipped"
