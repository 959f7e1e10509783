"""What is known of each workflow, out of the database, as the planner wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, F

from dashboard.cloudflare.events import FAILURES
from dashboard.cloudflare.targets import Target
from dashboard.cloudflare.types import FINISHED, Status
from dashboard.models import Gap, Instance, Progress, Workflow, tallies
from dashboard.models.instance import ERRORED_UNREAD, UNREAD, InstanceQuerySet
from dashboard.models.workflow import WATCHED_FOR
from dashboard.sync.known import PER_PAGE, Known

#: Of more unfinished instances than this it is counted less often how many details are known.
MANY = 10_000
COUNT_MANY_EVERY = timedelta(minutes=1)


@dataclass
class Subject:
    """One workflow while a turn lasts: its rows here, and what has been counted of them.

    `held`: rows by status that Cloudflare still has; `left`: those of them that their lists no
    longer show; `urgent`: errored ones without a detail; `hinted`: those that events hint
    at, by the kind of event. Details of the others are no matter of freshness: the back-fill reads
    them.
    """

    workflow: Workflow
    progress: Progress
    target: Target
    held: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    urgent: int = 0
    hinted: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    has_new_version: bool = False

    @property
    def young_gaps(self) -> list[Gap]:
        """What the newest pages did not reach, newest first."""
        return [gap for gap in self.gaps if not gap.is_history]

    @property
    def history(self) -> list[Gap]:
        """What was never read, newest first."""
        return [gap for gap in self.gaps if gap.is_history]

    @property
    def unfinished(self) -> int:
        """Rows held that may go on, in statuses that we do not know too."""
        return sum(number for status, number in self.held.items() if status not in FINISHED)

    def urgent_rows(self) -> InstanceQuerySet:
        """The rows whose detail somebody waits for: errors, the newest first; and where list rows
        tell no times all others, after them."""
        rows = self.workflow.instances
        if self.target.has_list_times:
            return rows.filter(ERRORED_UNREAD).newest_first()
        return rows.without_read().errored_first()

    def is_watched(self, now: datetime) -> bool:
        """True while somebody looks at it here."""
        watched_at = self.workflow.watched_at
        return watched_at is not None and now - watched_at < WATCHED_FOR

    def known(self, now: datetime) -> Known:
        """It all, as the planner wants it."""
        workflow, progress = self.workflow, self.progress
        held = {name: max(0, number - self.left[name]) for name, number in self.held.items()}
        near = progress.near
        failures = sum(self.hinted[kind] for kind in FAILURES)
        return Known(
            workflow.pk,
            told=workflow.counts,
            told_at=_seconds(workflow.counted_at),
            held=held,
            changed_at=_seconds(workflow.changed_at),
            arrived=self._arrived(),
            near={name: min(1.0, near.get(name, 0) / held[name]) for name in held if held[name]},
            errored_missing=self.errored_missing(),
            errored_deep=min(progress.errored_deep, self.errored_missing()),
            left=self.left.total(),
            left_per_request=progress.left_per_request,
            hinted_failures=failures,
            hinted_others=self.hinted.total() - failures,
            errored_unread=self.urgent,
            gap=sum(max(1, -(-gap.rows // PER_PAGE)) for gap in self.young_gaps),
            history=bool(self.history),
            has_versions=self.target.has_versions,
            has_new_version=self.has_new_version,
            deep_pages=progress.deep_pages,
            is_watched=self.is_watched(now),
            done=dict(progress.done),
            learned=progress.learned,
        )

    def errored_missing(self) -> int:
        """Errored instances that Cloudflare counts and that are not held; of those that are held
        it does not count the ones whose retention has ended."""
        if self.workflow.counts is None:
            return 0
        beyond: int = self.held[Status.ERRORED] - self.workflow.counts.get(Status.ERRORED, 0)
        return max(0, self.progress.errored_surplus - beyond)

    def _arrived(self) -> int:
        progress = self.progress
        total: int = sum((self.workflow.counts or {}).values())
        if progress.head_total is None:
            return total
        arrived: int = max(0, total - progress.head_total)
        triggered_on, known = self.workflow.triggered_on, progress.head_triggered_on
        is_triggered = triggered_on and (known is None or triggered_on > known)
        return max(arrived, 1) if is_triggered else arrived


def subjects_of(workflows: Iterable[Workflow], target: Target) -> dict[int, Subject]:
    """Each with its progress and gaps, by primary key, in a few queries for all of them; nothing is
    counted yet."""
    by_pk = {workflow.pk: workflow for workflow in workflows}
    progress = Progress.objects.in_bulk(by_pk)
    missing = [Progress(workflow_id=pk) for pk in by_pk.keys() - progress.keys()]
    if missing:
        Progress.objects.bulk_create(missing, ignore_conflicts=True)
        progress = Progress.objects.in_bulk(by_pk)
    subjects = {pk: Subject(workflow, progress[pk], target) for pk, workflow in by_pk.items()}
    find_gaps(subjects)
    return subjects


def counted_subjects(workflows: Iterable[Workflow], target: Target) -> dict[int, Subject]:
    """Each with all that the planner asks of it."""
    subjects = subjects_of(workflows, target)
    count(subjects)
    return subjects


def find_gaps(subjects: dict[int, Subject]) -> None:
    """Reads their gaps anew."""
    for subject in subjects.values():
        subject.gaps = []
    gaps = Gap.objects.filter(workflow__in=subjects).order_by(F("until").desc(nulls_last=True))
    for gap in gaps:
        gap.workflow = subjects[gap.workflow_id].workflow
        subjects[gap.workflow_id].gaps.append(gap)


def count(subjects: dict[int, Subject]) -> None:
    """Counts what is held of these now."""
    held, left = held_by_status(subjects), _by("status", Instance.objects.left(), subjects)
    hinted, urgent = _by("hint", Instance.objects.hinted(), subjects), _urgent(subjects)
    for pk, subject in subjects.items():
        subject.held, subject.left = held[pk], left[pk]
        subject.hinted, subject.urgent = hinted[pk], urgent[pk]


def held_by_status(workflows: Collection[int]) -> dict[int, Counter[str]]:
    """How many instances that Cloudflare still has are held of each workflow, by status; without
    those that ended well or were terminated, of which nothing more is asked."""
    held = tallies.live_counts(workflows)
    for counted in held.values():
        for status in FINISHED - {Status.ERRORED}:
            del counted[status]
    return held


def cover(subject: Subject, now: datetime) -> None:
    """Counts of how many unfinished instances the detail is known, unless that is much work and was
    done a moment ago."""
    progress, covered_at = subject.progress, subject.progress.covered_at
    is_young = covered_at is not None and timedelta(0) <= now - covered_at < COUNT_MANY_EVERY
    if subject.unfinished > MANY and is_young:
        return
    unfinished = subject.workflow.instances.unfinished()
    progress.unread = unfinished.filter(UNREAD).count() if subject.unfinished else 0
    progress.unfinished, progress.covered_at = subject.unfinished, now


def _urgent(subjects: dict[int, Subject]) -> Counter[int]:
    """How many details somebody waits for, by workflow; all, where list rows tell no times."""
    rows = Instance.objects.filter(ERRORED_UNREAD)
    if not all(subject.target.has_list_times for subject in subjects.values()):
        rows = Instance.objects.without_read()
    numbers = rows.filter(workflow__in=subjects).order_by().values_list("workflow")
    return Counter(dict(numbers.annotate(number=Count("pk"))))


def _by(column: str, rows: InstanceQuerySet, workflows: Collection[int]) -> dict[int, Counter[str]]:
    counted: dict[int, Counter[str]] = {pk: Counter() for pk in workflows}
    numbers = rows.filter(workflow__in=workflows).order_by().values_list("workflow", column)
    for pk, value, number in numbers.annotate(number=Count("pk")):
        counted[pk][value] = number
    return counted


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0
