"""A turn: ask the planner, do what it says, ask again, until time, budget or work runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from dashboard.cloudflare import Client, Lane
from dashboard.cloudflare.errors import (
    BudgetSpent,
    CloudflareError,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from dashboard.cloudflare.types import UNFINISHED
from dashboard.models import Account, Workflow, recording
from dashboard.sync.knowing import Subject, counted_subjects
from dashboard.sync.known import LONGEST_WORK, PER_PAGE, Kind, Known, State, Work
from dashboard.sync.pages import Clock
from dashboard.sync.plan import plan
from dashboard.sync.rate import rate
from dashboard.sync.works import do_work

logger = logging.getLogger(__name__)

#: Told after each work: (its workflow's name, how many were looked at so far, how many there are).
Report = Callable[[str, int, int], None]
Planner = Callable[[State], list[Work]]


class Turn:
    """One worker's turn at one account. `until`: begin nothing after it; None is to the end.

    `after_each` is called after each work: to renew the lease. `errors`: what hit single workflows,
    which are left alone for the rest of the turn.
    """

    def __init__(
        self,
        client: Client,
        account: Account,
        *,
        clock: Clock,
        until: datetime | None = None,
        after_each: Callable[[], None],
    ) -> None:
        self.client, self.account, self.clock = client, account, clock
        self.until, self.after_each = until, after_each
        self.errors: list[CloudflareError] = []
        self._failed: set[int] = set()
        self._subjects: dict[int, Subject] = {}

    @property
    def is_time_up(self) -> bool:
        """True when no other work may be begun."""
        return self.until is not None and self.clock() >= self.until

    def _state(self, knowns: list[Known], counted_at: datetime | None) -> State:
        return State(
            [known for known in knowns if known.workflow not in self._failed],
            counted_at.timestamp() if counted_at else None,
            rate(),
            # A list without times cannot be cut: its walk goes to the end, through all statuses.
            sorted(UNFINISHED) if self.client.target.has_list_times else (),
        )

    @contextmanager
    def _alone(self, subject: Subject) -> Iterator[None]:
        """What hits one workflow leaves the others alone; what hits all is raised."""
        workflow = subject.workflow
        try:
            yield
        except (RateLimited, Unauthorized, Unreachable):
            raise
        except CloudflareError as error:
            logger.warning("Sync of workflow %s: %s", workflow.name, error)
            Workflow.objects.filter(pk=workflow.pk).update(sync_error=str(error))
            workflow.sync_error = str(error)
            self._failed.add(workflow.pk)
            self.errors.append(error)


class Freshening(Turn):
    """A turn at what has changed."""

    def __init__(
        self,
        client: Client,
        account: Account,
        *,
        clock: Clock,
        until: datetime | None = None,
        after_each: Callable[[], None],
        report: Report | None = None,
    ) -> None:
        super().__init__(client, account, clock=clock, until=until, after_each=after_each)
        self._report = report
        self._looked_at: set[int] = set()
        self._known: dict[int, Known] = {}
        self._counted_at: datetime | None = None

    @property
    def has_looked_at_all(self) -> bool:
        """True when the newest page of every workflow has been read, now or earlier."""
        return self._counted_at is not None and all(
            Kind.HEAD in subject.progress.done for subject in self._subjects.values()
        )

    def run(self, *, count_first: bool = False) -> None:
        """Asks for the counts first if `count_first`, however young they are.

        Raises CloudflareError when nothing can go on, `BudgetSpent` among them.
        """
        before = self.client.request_count
        self._counted_at = None if count_first else self.account.counted_at
        if self._counted_at:
            workflows = self.account.workflows.present()
            self._load(counted_subjects(workflows, self.client.target))
        try:
            self._go_on(lambda state: plan(state, self.clock().timestamp(), self._allowance))
        except BudgetSpent:
            self._do_urgent(at_most=max(1, self.client.request_count - before))
            raise

    def _do_urgent(self, at_most: int) -> None:
        """What is watched or errored goes on while there is nothing left for the rest: only as much
        as the rest has had, or that would wait for ever."""
        end = self.client.request_count + at_most
        try:
            self._go_on(lambda state: self._plan_urgent(state, end - self.client.request_count))
        except BudgetSpent:
            logger.debug("Nothing is left of the budget for what is urgent either")

    def _plan_urgent(self, state: State, allowance: int) -> list[Work]:
        now = self.clock().timestamp()
        # The counts cannot be asked for now: what is known has to do.
        state = replace(state, counted_at=now)
        works = plan(state, now, LONGEST_WORK * len(state.workflows))
        urgent = [work for work in works if work.cost and self._lane(work) is Lane.WATCHED]
        return [
            replace(work, cost=min(work.cost, allowance)) for work in urgent[:1] if allowance > 0
        ]

    def _go_on(self, planner: Planner) -> None:
        while works := planner(self._state([*self._known.values()], self._counted_at)):
            for work in works:
                if self.is_time_up:
                    return
                self._do(work)
                self.after_each()

    @property
    def _allowance(self) -> int:
        """Requests until the planner is asked again; the workflow list must fit in."""
        return max(LONGEST_WORK, 1 + len(self._subjects) // PER_PAGE)

    def _load(self, subjects: dict[int, Subject]) -> None:
        self._subjects = subjects
        now = self.clock()
        self._known = {pk: subject.known(now) for pk, subject in subjects.items()}

    def _do(self, work: Work) -> None:
        if work.workflow is None:
            self._count()
        elif work.workflow not in self._failed:
            subject = self._subjects[work.workflow]
            with self._alone(subject):
                do_work(work, subject, self.client.in_lane(self._lane(work)), clock=self.clock)
                self._tell(subject.workflow)
            self._known[work.workflow] = subject.known(self.clock())

    def _tell(self, workflow: Workflow) -> None:
        if workflow.sync_error:
            Workflow.objects.filter(pk=workflow.pk).update(sync_error="")
        self._looked_at.add(workflow.pk)
        if self._report:
            self._report(workflow.name, len(self._looked_at), len(self._subjects))

    def _lane(self, work: Work) -> Lane:
        if work.workflow is None:
            return self.client.lane
        if work.kind is Kind.HISTORY:
            return self.client.lane  # It is the planner that leaves it a share.
        is_urgent = work.kind in {Kind.HINTED, Kind.DETAILS}
        is_urgent |= self._known[work.workflow].is_watched
        return Lane.WATCHED if is_urgent else self.client.lane

    def _count(self) -> None:
        listed = list(self.client.list_workflows())
        now = self.clock()
        workflows = recording.record_workflows(self.account, listed, now=now)
        self._counted_at = self.account.counted_at = now
        Account.objects.filter(pk=self.account.pk).update(counted_at=now)
        self._load(counted_subjects(workflows, self.client.target))
