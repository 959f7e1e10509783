"""An operation on many with real processes, some of which are killed, and a Cloudflare that fails.

What Cloudflare says and does is decided here, by the simulator; what the dashboard says of it is
read from its database, and both are compared.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from dashboard.models import Instance, Item, Operation
from dashboard.models.operation import Stage, State
from dashboard.simulator import actions
from dashboard.simulator.messages import Request, Response
from tests.distributed.house import COPY, House

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
#: The faults of a PATCH; of each, whether Cloudflare acted all the same.
FAULTS: dict[str, dict[str, Any]] = {
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

    house: House
    number: int
    share: float = 0.05
    patches: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    ended_by_others: set[str] = field(default_factory=set)
    faulty: dict[str, str] = field(default_factory=dict)
    took: float = 0.0

    def prepare(self) -> None:
        """Places the instances and decides which requests fail; the same at each trial."""
        account, chance = self.house.account, random.Random(4711)
        ids = [f"i-{index:05}" for index in range(self.number)]
        for instance_id in ids:
            account.world.add_instance("orders", "waiting", instance_id=instance_id)
        wrong = chance.sample(ids, round(self.share * self.number))
        kinds = [*FAULTS, "conflict"]
        self.faulty = {one: kinds[index % len(kinds)] for index, one in enumerate(wrong)}
        for instance_id, name in self.faulty.items():
            if name != "conflict":
                path = f"/{instance_id}/status"
                account.faults.add(method="PATCH", path=path, times=1, **FAULTS[name])
        for instance_id in chance.sample(ids, round(self.share * self.number)):
            path = f"instances/{instance_id}$"
            account.faults.add("error-10001", method="GET", path=path, times=1)
        handle = account.service.handle
        account.service.handle = lambda request: self._seen(request, handle)  # type: ignore[method-assign]

    def _seen(self, request: Request, handle: Any) -> Response:
        """Counts each PATCH; before some, somebody else ends the instance: a conflict."""
        found = re.search(r"/instances/([^/]+)/status$", request.path)
        if found and request.method == "PATCH":
            instance_id = found[1]
            self.patches[instance_id] += 1
            if self.faulty.get(instance_id) == "conflict":
                world = self.house.account.world
                actions.apply(world.workflows["orders"], instance_id, "terminate", world.now)
                self.ended_by_others.add(instance_id)
        response: Response = handle(request)
        self.answers[response.status] += 1
        return response

    def run(
        self,
        *,
        interrupt: Callable[[], None] | None = None,
        times: int = 3,
        seconds: float = 600,
        is_hurried: bool = False,
    ) -> dict[str, tuple[str, str]]:
        """The whole of it, interrupted so many times on the way: instance -> (state, note).

        `interrupt`: what happens then; unless it is said, a worker is killed. `is_hurried`: once
        all was sent, what nobody will hear of again is not waited for.
        """
        house = self.house
        house.wait_for("all are copied", self.are_copied, seconds, every=0.5)
        house.shell(BEGIN)
        began = time.monotonic()
        for part in range(1, times + 1):
            mark = part * self.number // (times + 1)
            house.wait_for("it goes on", lambda mark=mark: len(self.patches) >= mark, seconds)  # type: ignore[misc]
            if interrupt:
                interrupt()
            else:
                house.kill_worker("fresh")
        house.wait_for("its end", lambda: self.is_over(is_hurried=is_hurried), seconds, every=0.5)
        self.took = time.monotonic() - began
        items = Item.objects.using(COPY).values_list("instance_id", "state", "note")
        return {one: (state, note) for one, state, note in items}

    def are_copied(self) -> bool:
        copied = Instance.objects.using(COPY).filter(workflow__name="orders")
        return copied.count() == self.number

    def is_over(self, *, is_hurried: bool) -> bool:
        operations, items = Operation.objects.using(COPY), Item.objects.using(COPY)
        if is_hurried and not items.filter(state=State.PENDING).exists():
            now = timezone.now()
            items.unsettled().update(next_look_at=now, watched_until=now)
            operations.exclude(next_run_at=None).update(next_run_at=now)
        return operations.get().stage == Stage.FINISHED

    def contradictions(self, items: dict[str, tuple[str, str]]) -> list[str]:
        """Where what the dashboard says differs from what Cloudflare did."""
        found = [f"{one} was sent {n} times" for one, n in self.patches.items() if n > 1]
        if len(items) != self.number:
            found.append(f"{len(items)} outcomes for {self.number} instances")
        for instance_id, (state, note) in items.items():
            status = self.house.account.world.status("orders", instance_id)
            by_us = status == "terminated" and instance_id not in self.ended_by_others
            fits = {
                "done": by_us,
                "failed": not by_us,
                "skipped": instance_id not in self.patches,
            }
            if not fits.get(state, False):
                found.append(f"{instance_id} is {state} ({note}), and in truth {status}")
        return found
