"""What nobody waits for: pages that were never read, details of unfinished instances, and whether
those that should have gone on by now have."""

from __future__ import annotations

from dashboard.cloudflare import Lane
from dashboard.models import Instance
from dashboard.models.instance import UNREAD
from dashboard.sync.knowing import Subject, subjects_of
from dashboard.sync.known import LONGEST_WORK, Work
from dashboard.sync.plan import plan_history
from dashboard.sync.reading import read_each
from dashboard.sync.turn import Turn
from dashboard.sync.works import do_work


class BackFilling(Turn):
    """A turn in the lane that yields to all others. It writes rows and gaps, and how many details
    are known, but nothing else of the progress, which freshness writes at the same time."""

    def run(self) -> None:
        """Older pages, details, and another look at what is late in turns, an equal number of
        requests each.

        Raises CloudflareError when nothing can go on, `BudgetSpent` among them.
        """
        self.client = self.client.in_lane(Lane.BACKFILL)
        self._subjects = subjects_of(self.account.workflows.present(), self.client.target)
        self._tried: set[int] = set()
        while not self.is_time_up:
            works, lacking = self._older_pages(), self._lacking()
            late = self._late()
            if not works and lacking is None and not late:
                return
            for work in works:
                self._fill(work)
            if lacking:
                self._enrich(lacking)
            if late:
                self._look_again(late)

    def _older_pages(self) -> list[Work]:
        now = self.clock()
        knowns = [subject.known(now) for subject in self._subjects.values() if subject.history]
        return plan_history(self._state(knowns, now), LONGEST_WORK)

    def _fill(self, work: Work) -> None:
        subject = self._subjects[work.workflow or 0]
        with self._alone(subject):
            do_work(work, subject, self.client, clock=self.clock)
        self.after_each()

    def _lacking(self) -> Subject | None:
        """The workflow that lacks the fewest details, so that most are soon complete; one that
        somebody looks at before all others."""
        now = self.clock()
        lacking = [
            subject
            for pk, subject in self._subjects.items()
            if subject.progress.unread and pk not in self._failed
        ]
        return min(
            lacking,
            key=lambda subject: (not subject.is_watched(now), subject.progress.unread),
            default=None,
        )

    def _enrich(self, subject: Subject) -> None:
        """Reads details, the oldest knowledge first; each at most once in a turn."""
        progress = subject.progress
        unread = subject.workflow.instances.unfinished().filter(UNREAD).exclude(pk__in=self._tried)
        rows = list(unread.with_workflow().longest_unread_first()[:LONGEST_WORK])
        self._tried.update(row.pk for row in rows)
        with self._alone(subject):
            read_each(self.client, rows, clock=self.clock)
        progress.unread = max(0, progress.unread - len(rows)) if rows else 0
        progress.save(update_fields=["unread"])
        self.after_each()

    def _late(self) -> list[Instance]:
        """What should have gone on since it was read, and what is stuck and may not be any more."""
        now = self.clock()
        workflows = self._subjects.keys() - self._failed
        rows = Instance.objects.with_workflow().among(workflows).exclude(pk__in=self._tried)
        late = list(rows.late(now)[:LONGEST_WORK])
        return late + list(rows.stuck_at_last(now)[: LONGEST_WORK - len(late)])

    def _look_again(self, rows: list[Instance]) -> None:
        """Reads them; each at most once in a turn."""
        self._tried.update(row.pk for row in rows)
        for pk in {row.workflow_id for row in rows}:
            with self._alone(self._subjects[pk]):
                of_one = [row for row in rows if row.workflow_id == pk]
                read_each(self.client, of_one, clock=self.clock)
        self.after_each()
