"""Working on an operation on many: a slice at a time, by whoever holds its lease.

Nothing depends on who works or how often that is cut off: each item is claimed by itself, and what
a crash left half done is only looked at.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.conf import settings
from django.db.models import Max

from dashboard.cloudflare import Client
from dashboard.cloudflare.bodies import BATCH_SIZE
from dashboard.cloudflare.errors import CloudflareError, NotFound, RateLimited, Unreachable
from dashboard.connection import UnknownAccount
from dashboard.evidence import NotKept
from dashboard.models import Item, Operation, User, Workflow
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations.choices import refusal_for_user, refusal_for_workflow
from dashboard.operations.creating import batch_size, create_some
from dashboard.operations.following import look
from dashboard.operations.proposing import end_cut_off
from dashboard.operations.sending import Clock, send, settle
from dashboard.operations.watching import watch
from dashboard.operations.waves import LATEST, WRONG, judge_waves

LEASE = timedelta(seconds=20)
SLICE = timedelta(seconds=15)
#: Operations on many that are worked on at the same time; the rest of the workers is for others.
AT_ONCE = 2
ITEMS_AT_ONCE = 20
PAUSE = timedelta(seconds=1)
PAUSE_AFTER_ERROR = timedelta(seconds=15)


def due(now: datetime) -> list[uuid.UUID]:
    """The operations on many that somebody should work on now."""
    leased = Operation.objects.filter(leased_until__gte=now)
    busy = leased.exclude(stage=Stage.READING).count()
    waiting = Operation.objects.to_run(now).values_list("pk", flat=True)
    return list(waiting[: max(0, AT_ONCE - busy)])


def run(pk: uuid.UUID, connect: Callable[[str], Client], *, clock: Clock) -> None:
    """Works on the operation for a while, unless somebody else does so at this moment.

    Never raises CloudflareError: what hit an instance stands in its item, what hits all in `note`.
    """
    operation = Operation.objects.get(pk=pk)
    if not operation.take_lease(clock(), LEASE):
        return
    if operation.stage == Stage.READING:
        end_cut_off(operation, now=clock())
    slice_ = Slice(operation, connect, clock)
    slice_.work()
    slice_.end()


@dataclass
class Slice:
    """One stretch of work. `resumes_at`: when it goes on, where something holds it up;
    `waits_because` says what."""

    operation: Operation
    connect: Callable[[str], Client]
    clock: Clock
    resumes_at: datetime | None = None
    waits_because: str = ""
    _clients: dict[str, Client | None] = field(default_factory=dict)

    def work(self) -> None:
        """Looks at what was sent, sends more as far as that is allowed, and looks again."""
        ends_at = self.clock() + SLICE
        if not watch(self.operation, self.client_of, clock=self.clock):
            self._wait(PAUSE, "It waits for the request budget.")
            return
        while self.resumes_at is None and self.clock() < ends_at:
            pending = self.operation.items.pending().select_related("workflow__account")
            following = list(pending[: BATCH_SIZE if self.creates else ITEMS_AT_ONCE])
            if not following or not self._may_go_on(following[0]):
                break
            if self.creates:
                self._create_some(following)
            else:
                self._send_some(following, ends_at)
        self._finish()

    def client_of(self, workflow: Workflow) -> Client | None:
        """The client of the workflow's account; None when that is not configured."""
        account_id = workflow.account.account_id
        if account_id not in self._clients:
            try:
                self._clients[account_id] = self.connect(account_id)
            except UnknownAccount:
                self._clients[account_id] = None
        return self._clients[account_id]

    def end(self) -> None:
        """Writes down when there is something to do again, and lets others do it."""
        operation, items = self.operation, self.operation.items
        operation.refresh_from_db(fields=["stage"])
        stage = Stage(operation.stage)
        if stage is Stage.RUNNING and items.pending().exists():
            due = self.resumes_at or self.clock()
            operation.end_lease(stage, next_run_at=due, note=self.waits_because)
            return
        looks = items.unsettled().order_by("next_look_at")
        operation.end_lease(stage, next_run_at=looks.values_list("next_look_at", flat=True).first())

    @property
    def creates(self) -> bool:
        return self.operation.kind == Kind.CREATE

    @cached_property
    def last_wave(self) -> int:
        found: int = self.operation.items.aggregate(Max("wave"))["wave__max"]
        return found

    def _lost_rights(self) -> str:
        """Why who is in charge may no longer act; "" when they may."""
        user = self.operation.in_charge
        why_not = refusal_for_user(user)
        if not why_not or settings.READ_ONLY:
            return why_not
        return f"{user} may no longer act on instances. Another operator can resume it."

    def _refusal_for(self, workflow: Workflow) -> str:
        """Why nothing is sent to this workflow's instances; "" when it is. Who is in charge is read
        anew each time: their role may have been taken away since."""
        user = User.objects.get(pk=self.operation.in_charge.pk)
        if refusal_for_user(user, workflow):
            return f"{user} may not act on instances of {workflow.name}."
        return refusal_for_workflow(workflow)

    def _may_go_on(self, following: Item) -> bool:
        """Asks the person's rights and the waves before; says why not."""
        operation, now = self.operation, self.clock()
        if why_not := self._lost_rights():
            operation.move(Stage.PAUSED, now=now, note=why_not)
            return False
        before = operation.items.filter(pk__lt=following.pk, wave__gt=0)
        if operation.judged_from is not None:
            before = before.filter(pk__gte=operation.judged_from)
        verdict = judge_waves(
            following,
            list(before.order_by("-pk").only("wave", "state", "answered_at")[: 2 * LATEST]),
            kind=Kind(operation.kind),
            stop_above=operation.stop_above,
            now=now,
        )
        if verdict.halt:
            operation.move(Stage.HALTED, now=now, note=verdict.halt)
        elif verdict.waits_for:
            words = f"It waits until {verdict.waits_for} of the wave before have been seen."
            self._wait(PAUSE, words)
        return verdict.may_go_on

    def _send_some(self, following: Sequence[Item], ends_at: datetime) -> None:
        """Sends for these, as long as nothing holds it up and nothing has to be judged anew."""
        for item in following:
            now = self.clock()
            if item.wave != following[0].wave or now >= ends_at:
                return
            if not self.operation.keep_lease(now + LEASE):
                self._wait(PAUSE, "")
                return
            item.operation = self.operation
            if not self._send(item):
                return
            if item.state in WRONG:
                return

    def _send(self, item: Item) -> bool:
        """One item. False when nothing more can be sent for now."""
        client, why_not = self.client_of(item.workflow), self._refusal_for(item.workflow)
        if client is None or why_not:
            settle(item, State.SKIPPED, f"Nothing was sent. {why_not}", self.clock())
            return True
        try:
            send(client, item, self.operation.arguments, clock=self.clock)
        except RateLimited as error:
            self._wait(timedelta(seconds=error.retry_after or 1), str(error))
            return False
        except Unreachable as error:
            self._wait(PAUSE_AFTER_ERROR, f"{error} It goes on by itself.")
            return False
        except NotKept:
            return True  # Its item says why; the others go on.
        except NotFound as error:
            settle(item, State.SKIPPED, f"Nothing was sent. {error}", self.clock(), error)
        except CloudflareError as error:
            settle(item, State.FAILED, f"Nothing was sent. {error}", self.clock(), error)
        if not item.is_settled and item.wave < self.last_wave:
            look(client, item, now=self.clock())
        return True

    def _create_some(self, following: Sequence[Item]) -> None:
        """As many of these as one request takes, and of one wave."""
        workflow = following[0].workflow
        client, why_not = self.client_of(workflow), self._refusal_for(workflow)
        wave = [item for item in following if item.wave == following[0].wave]
        if client is None or why_not:
            for item in wave:
                settle(item, State.SKIPPED, f"Nothing was sent. {why_not}", self.clock())
            return
        items = wave[: batch_size(client.target)]
        for item in items:
            item.operation = self.operation
        is_mine = self.operation.keep_lease(self.clock() + LEASE)
        try:
            is_mine = is_mine and create_some(client, workflow, items, clock=self.clock)
        except RateLimited as error:
            self._wait(timedelta(seconds=error.retry_after or 1), str(error))
            return
        except Unreachable as error:
            self._wait(PAUSE_AFTER_ERROR, f"{error} It goes on by itself.")
            return
        if not is_mine or len(items) > 1:
            # A workflow takes a hundred new instances in a second.
            self._wait(PAUSE, "")
        if items[0].wave < self.last_wave:
            for item in items:
                if not item.is_settled:
                    look(client, item, now=self.clock())

    def _finish(self) -> None:
        items = self.operation.items
        if not items.pending().exists() and not items.unsettled().exists():
            self.operation.move(Stage.FINISHED, now=self.clock())

    def _wait(self, pause: timedelta, because: str) -> None:
        self.resumes_at, self.waits_because = self.clock() + pause, because
