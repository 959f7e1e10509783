"""An operation on many with real processes, some of which are killed, and a Cloudflare that fails.

What Cloudflare says and does is decided here, by the simulator; what the dashboard says of it is
read from its database, and both are compared.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dashboard import simulator
from dashboard.simulator import actions
from dashboard.simulator.messages import Request, Response
from tests.servers.dashboard import ROOT, Dashboard
from tests.start.tree import pid_of

BEGIN = """
import uuid
from django.utils import timezone
from dashboard import operations
from dashboard.models import Instance, User
from dashboard.models.operation import Kind
user, _ = User.objects.get_or_create(username="olga", role="operator")
wanted = operations.Wanted(kind=Kind.TERMINATE, user=user, key=uuid.uuid4(), reason="trial")
terms = operations.Terms(stop_above=100)
print(operations.begin(Instance.objects.filter(workflow__name="orders"), wanted, terms,
                       now=timezone.now())[0].pk)
"""
#: What was sent and is not seen to have ended need not be waited for: it is looked at now.
HURRY = """
from django.utils import timezone
from dashboard.models import Item, Operation
now = timezone.now()
Item.objects.unsettled().update(next_look_at=now, watched_until=now)
Operation.objects.filter(is_bulk=True).exclude(next_run_at=None).update(next_run_at=now)
"""
OUTCOME = """
import json
from dashboard.models import Item, Operation
operation = Operation.objects.get()
items = operation.items.values_list("instance_id", "state", "note")
print(json.dumps({"stage": operation.stage, "items": list(items)}))
"""
COPIED = """
from dashboard.models import Instance
print(Instance.objects.filter(workflow__name="orders").count())
"""
#: The faults of a PATCH; of each, whether Cloudflare acted all the same.
FAULTS = {
    "refused 429": {"kind": "rate-limited", "retry_after": 1},
    "500, not done": {"kind": "error-10001"},
    "502, but done": {"kind": "html", "executes": True},
    "reset, but done": {"kind": "reset", "executes": True},
}


@dataclass
class Trial:
    """`number` instances wait; a part of the requests that end them fail in one way or another.

    `took`: seconds from the yes to the last outcome, once it has run.
    """

    dashboard: Dashboard
    account: simulator.Server
    number: int
    share: float = 0.05
    patches: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    ended_by_others: set[str] = field(default_factory=set)
    faulty: dict[str, str] = field(default_factory=dict)
    took: float = 0.0

    def prepare(self) -> None:
        """Places the instances and decides which requests fail; the same at each trial."""
        world, chance = self.account.world, random.Random(4711)
        ids = [f"i-{index:05}" for index in range(self.number)]
        for instance_id in ids:
            world.add_instance("orders", "waiting", instance_id=instance_id)
        wrong = chance.sample(ids, round(self.share * self.number))
        kinds = [*FAULTS, "conflict"]
        self.faulty = {one: kinds[index % len(kinds)] for index, one in enumerate(wrong)}
        for instance_id, name in self.faulty.items():
            if name != "conflict":
                path = f"/{instance_id}/status"
                self.account.faults.add(method="PATCH", path=path, times=1, **FAULTS[name])
        for instance_id in chance.sample(ids, round(self.share * self.number)):
            path = f"instances/{instance_id}$"
            self.account.faults.add("error-10001", method="GET", path=path, times=1)
        handle = self.account.service.handle
        self.account.service.handle = lambda request: self._seen(request, handle)  # type: ignore[method-assign]

    def _seen(self, request: Request, handle: Any) -> Response:
        """Counts each PATCH; before some, somebody else ends the instance: a conflict."""
        found = re.search(r"/instances/([^/]+)/status$", request.path)
        if found and request.method == "PATCH":
            instance_id = found[1]
            self.patches[instance_id] += 1
            if self.faulty.get(instance_id) == "conflict":
                world = self.account.world
                actions.apply(world.workflows["orders"], instance_id, "terminate", world.now)
                self.ended_by_others.add(instance_id)
        response: Response = handle(request)
        self.answers[response.status] += 1
        return response

    def shell(self, code: str) -> str:
        """What a piece of code prints in the dashboard's own environment."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "shell", "--verbosity", "0", "-c", code],
            env=self.dashboard.env(),
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def run(self, *, kills: int = 3, seconds: float = 600) -> dict[str, tuple[str, str]]:
        """The whole of it, with as many workers killed on the way: instance -> (state, note)."""
        deadline = time.monotonic() + seconds
        wait(lambda: int(self.shell(COPIED)) == self.number, deadline, every=2)
        self.shell(BEGIN)
        began = time.monotonic()
        for part in range(1, kills + 1):
            mark = part * self.number // (kills + 1)
            wait(lambda mark=mark: len(self.patches) >= mark, deadline, every=0.01)
            self.kill_worker()
        wait(lambda: self.outcome()["stage"] == "finished", deadline, every=2, meanwhile=self.hurry)
        self.took = time.monotonic() - began
        return {one: (state, note) for one, state, note in self.outcome()["items"]}

    def kill_worker(self) -> None:
        with suppress(ValueError, ProcessLookupError):
            os.kill(pid_of(self.dashboard.data, " worker "), signal.SIGKILL)

    def hurry(self) -> None:
        """Once all was sent, what nobody will hear of again is not waited for."""
        if not any(state == "pending" for _, state, _ in self.outcome()["items"]):
            self.shell(HURRY)

    def outcome(self) -> Any:
        return json.loads(self.shell(OUTCOME))

    def contradictions(self, items: dict[str, tuple[str, str]]) -> list[str]:
        """Where what the dashboard says differs from what Cloudflare did."""
        found = [f"{one} was sent {n} times" for one, n in self.patches.items() if n > 1]
        if len(items) != self.number:
            found.append(f"{len(items)} outcomes for {self.number} instances")
        for instance_id, (state, note) in items.items():
            is_ended = self.account.world.status("orders", instance_id) == "terminated"
            by_us = is_ended and instance_id not in self.ended_by_others
            fits = {
                "done": by_us,
                "failed": not by_us,
                "skipped": instance_id not in self.patches,
            }
            if not fits.get(state, False):
                found.append(f"{instance_id} is {state} ({note}), terminated: {is_ended}")
        return found


def wait(is_so: Any, deadline: float, *, every: float, meanwhile: Any = None) -> None:
    """Until it is so; raises TimeoutError at the deadline."""
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("the trial did not come to its end")
        if meanwhile:
            meanwhile()
        time.sleep(every)


def settings_of(account: simulator.Server, **more: str) -> dict[str, str]:
    """The environment of a dashboard that watches this account."""
    return {
        "CLOUDFLARE_API_BASE_URL": account.url,
        "CLOUDFLARE_ACCOUNT_ID": account.account_id,
        "CLOUDFLARE_API_TOKEN": account.token,
        **more,
    }
