"""A turn: ask the planner, do what it says, ask again, until time, budget or work runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings

from dashboard.cloudflare import Client, Lane
from dashboard.cloudflare.budget import QUOTA, WINDOW
from dashboard.cloudflare.errors import CloudflareError, RateLimited, Unauthorized, Unreachable
from dashboard.cloudflare.types import UNFINISHED
from dashboard.models import Account, Workflow, recording
from dashboard.sync.knowing import Subject, subjects_of
from dashboard.sync.known import LONGEST_WORK, PER_PAGE, Kind, State, Work
from dashboard.sync.pages import Clock
from dashboard.sync.plan import plan, plan_history
from dashboard.sync.works import do_work

logger = logging.getLogger(__name__)

#: Told after each work: (its workflow's name, how many were looked at so far, how many there are).
Report = Callable[[str, int, int], None]


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
        self._counted_at: datetime | None = None

    def freshen(self, *, count_first: bool = False) -> None:
        """Looks at what has changed; at the counts first if `count_first`, however young they are.
        Raises CloudflareError when nothing can go on, `BudgetSpent` among them."""
        self._counted_at = None if count_first else self.account.counted_at
        if self._counted_at:
            self._load(list(self.account.workflows.present()))
        self._go_on(lambda state: plan(state, self.clock().timestamp(), self._allowance))

    def back_fill(self) -> None:
        """Reads older pages, in the lane that yields to all others. Raises like `freshen`."""
        self.client = self.client.in_lane(Lane.BACKFILL)
        self._load(list(self.account.workflows.present().filter(gaps__isnull=False).distinct()))
        self._go_on(lambda state: plan_history(state, LONGEST_WORK))

    def _load(self, workflows: list[Workflow]) -> None:
        self._subjects = subjects_of(workflows, self.client.target)

    def _go_on(self, planner: Callable[[State], list[Work]]) -> None:
        while works := planner(self._state()):
            for work in works:
                if self.until and self.clock() >= self.until:
                    return
                self._do(work)
                self.after_each()

    @property
    def _allowance(self) -> int:
        """Requests until the planner is asked again; the workflow list must fit in."""
        return max(LONGEST_WORK, 1 + len(self._subjects) // PER_PAGE)

    def _state(self) -> State:
        now = self.clock()
        target = self.client.target
        return State(
            [
                subject.known(now)
                for pk, subject in self._subjects.items()
                if pk not in self._failed
            ],
            self._counted_at.timestamp() if self._counted_at else None,
            settings.BUDGET_SHARE / 100 * QUOTA / WINDOW,
            # A list without times cannot be cut: its walk goes to the end, through all statuses.
            sorted(UNFINISHED) if target.has_list_times else (),
        )

    def _do(self, work: Work) -> None:
        if work.workflow is None:
            self._count()
            return
        subject = self._subjects[work.workflow]
        if work.workflow in self._failed:
            return
        try:
            do_work(work, subject, self._client_for(work, subject), clock=self.clock)
        except (RateLimited, Unauthorized, Unreachable):
            raise
        except CloudflareError as error:
            self._fail(subject.workflow, error)
        else:
            self._tell(subject.workflow)

    def _client_for(self, work: Work, subject: Subject) -> Client:
        is_watched = subject.known(self.clock()).is_watched
        if is_watched and work.kind is not Kind.HISTORY:
            return self.client.in_lane(Lane.WATCHED)
        return self.client

    def _count(self) -> None:
        listed = list(self.client.list_workflows())
        now = self.clock()
        workflows = recording.record_workflows(self.account, listed, now=now)
        self._counted_at = self.account.counted_at = now
        Account.objects.filter(pk=self.account.pk).update(counted_at=now)
        self._load(workflows)

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
