"""A turn: ask the planner, do what it says, ask again, until time, budget or work runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.conf import settings

from dashboard.cloudflare import Client, Lane
from dashboard.cloudflare.budget import QUOTA, WINDOW
from dashboard.cloudflare.errors import (
    BudgetSpent,
    CloudflareError,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from dashboard.cloudflare.types import UNFINISHED
from dashboard.models import Account, Workflow, recording
from dashboard.sync.knowing import Subject, counted_subjects, subjects_of
from dashboard.sync.known import LONGEST_WORK, PER_PAGE, Kind, Known, State, Work
from dashboard.sync.pages import Clock
from dashboard.sync.plan import plan, plan_history
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
        report: Report | None = None,
    ) -> None:
        self.client, self.account, self.clock = client, account, clock
        self.until, self.after_each, self.report = until, after_each, report
        self.errors: list[CloudflareError] = []
        self._failed: set[int] = set()
        self._looked_at: set[int] = set()
        self._subjects: dict[int, Subject] = {}
        self._known: dict[int, Known] = {}
        self._counted_at: datetime | None = None

    @property
    def is_time_up(self) -> bool:
        """True when no other work may be begun."""
        return self.until is not None and self.clock() >= self.until

    @property
    def has_looked_at_all(self) -> bool:
        """True when the newest page of every workflow has been read, now or earlier."""
        return self._counted_at is not None and all(
            Kind.HEAD in subject.progress.done for subject in self._subjects.values()
        )

    def freshen(self, *, count_first: bool = False) -> None:
        """Looks at what has changed; at the counts first if `count_first`, however young they are.

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

    def back_fill(self) -> None:
        """Reads older pages, in the lane that yields to all others. Raises like `freshen`."""
        self.client = self.client.in_lane(Lane.BACKFILL)
        history = self.account.workflows.present().filter(gaps__is_history=True)
        self._load(subjects_of(history.distinct(), self.client.target))
        self._go_on(lambda state: plan_history(state, LONGEST_WORK))

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
        while works := planner(self._state()):
            for work in works:
                if self.is_time_up:
                    return
                self._do(work)
                self.after_each()

    @property
    def _allowance(self) -> int:
        """Requests until the planner is asked again; the workflow list must fit in."""
        return max(LONGEST_WORK, 1 + len(self._subjects) // PER_PAGE)

    def _state(self) -> State:
        return State(
            [known for pk, known in self._known.items() if pk not in self._failed],
            self._counted_at.timestamp() if self._counted_at else None,
            settings.BUDGET_SHARE / 100 * QUOTA / WINDOW,
            # A list without times cannot be cut: its walk goes to the end, through all statuses.
            sorted(UNFINISHED) if self.client.target.has_list_times else (),
        )

    def _load(self, subjects: dict[int, Subject]) -> None:
        now = self.clock()
        self._subjects = subjects
        self._known = {pk: subject.known(now) for pk, subject in subjects.items()}

    def _do(self, work: Work) -> None:
        if work.workflow is None:
            self._count()
            return
        if work.workflow in self._failed:
            return
        subject = self._subjects[work.workflow]
        try:
            do_work(work, subject, self.client.in_lane(self._lane(work)), clock=self.clock)
        except (RateLimited, Unauthorized, Unreachable):
            raise
        except CloudflareError as error:
            self._fail(subject.workflow, error)
        else:
            self._tell(subject.workflow)
        finally:
            self._known[work.workflow] = subject.known(self.clock())

    def _lane(self, work: Work) -> Lane:
        if work.workflow is None or work.kind is Kind.HISTORY:
            return self.client.lane
        known = self._known[work.workflow]
        is_urgent = known.is_watched or (work.kind is Kind.DETAILS and known.errored_unread)
        return Lane.WATCHED if is_urgent else self.client.lane

    def _count(self) -> None:
        listed = list(self.client.list_workflows())
        now = self.clock()
        workflows = recording.record_workflows(self.account, listed, now=now)
        self._counted_at = self.account.counted_at = now
        Account.objects.filter(pk=self.account.pk).update(counted_at=now)
        self._load(counted_subjects(workflows, self.client.target))

    def _fail(self, workflow: Workflow, error: CloudflareError) -> None:
        logger.warning("Sync of workflow %s: %s", workflow.name, error)
        Workflow.objects.filter(pk=workflow.pk).update(sync_error=str(error))
        workflow.sync_error = str(error)
        self._failed.add(workflow.pk)
        self.errors.append(error)

    def _tell(self, workflow: Workflow) -> None:
        if workflow.sync_error:
            Workflow.objects.filter(pk=workflow.pk).update(sync_error="")
            workflow.sync_error = ""
        self._looked_at.add(workflow.pk)
        if self.report:
            self.report(workflow.name, len(self._looked_at), len(self._subjects))
