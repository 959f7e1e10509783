"""What is known of each workflow, out of the database, as the planner wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, F, Q

from dashboard.cloudflare.targets import Target
from dashboard.cloudflare.types import FINISHED, UNFINISHED, Status
from dashboard.models import Gap, Instance, Progress, Workflow
from dashboard.models.workflow import WATCHED_FOR
from dashboard.sync.known import PER_PAGE, Known

#: A gap of more pages than this is history: closing it must not hold up what is new.
LARGEST_GAP = 50

_UNREAD = Q(read_at=None) | Q(read_at__lt=F("status_seen_at"))


@dataclass
class Subject:
    """One workflow while a turn lasts: its rows here, and what has been counted of them."""

    workflow: Workflow
    progress: Progress
    target: Target
    held: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    gaps: list[Gap] = field(default_factory=list)
    has_new_version: bool = False

    @property
    def young_gaps(self) -> list[Gap]:
        """What the newest pages did not reach, newest first."""
        return [gap for gap in self.gaps if gap.since and _pages(gap) <= LARGEST_GAP]

    @property
    def old_gaps(self) -> list[Gap]:
        """What was never read, newest first."""
        return [gap for gap in self.gaps if not (gap.since and _pages(gap) <= LARGEST_GAP)]

    @property
    def unread_filter(self) -> Q:
        """The rows without a detail that is wanted. Where rows hold no times, all are wanted."""
        wanted = ~Q(status__in=FINISHED - {Status.ERRORED})
        return _UNREAD & wanted if self.target.has_list_times else _UNREAD

    def surplus(self) -> int:
        """Errored rows that are held and that Cloudflare does not count any more."""
        told: int = (self.workflow.counts or {}).get("errored", 0)
        beyond = self.held["errored"] - told
        return max(self.progress.errored_surplus, beyond)

    def known(self, now: datetime) -> Known:
        """It all, as the planner wants it."""
        workflow, progress = self.workflow, self.progress
        told, left = workflow.counts, progress.left
        held = {name: max(0, count - left.get(name, 0)) for name, count in self.held.items()}
        errored_unread = self.unread["errored"]
        if not self.target.has_list_times:
            errored_unread = self.unread.total()
        return Known(
            workflow.pk,
            told=told,
            told_at=_seconds(workflow.counted_at),
            held=held,
            changed_at=_seconds(workflow.changed_at),
            arrived=self._arrived(),
            near={
                name: min(1.0, progress.near.get(name, 0) / held[name])
                for name in held
                if held[name]
            },
            errored_missing=(told or {}).get("errored", 0) - self.held["errored"] + self.surplus(),
            left=sum(left.values()),
            left_per_request=progress.left_per_request,
            errored_unread=errored_unread,
            unfinished_unread=self.unread.total() - errored_unread,
            gap=sum(_pages(gap) for gap in self.young_gaps),
            history=bool(self.old_gaps),
            has_versions=self.target.has_versions,
            has_new_version=self.has_new_version,
            deep_pages=progress.deep_pages,
            is_watched=bool(workflow.watched_at and now - workflow.watched_at < WATCHED_FOR),
            done=dict(progress.done),
            learned=progress.learned,
        )

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
    """What is known of each, by primary key, in a few queries for all of them."""
    by_pk = {workflow.pk: workflow for workflow in workflows}
    missing = by_pk.keys() - set(
        Progress.objects.filter(pk__in=by_pk).values_list("workflow_id", flat=True)
    )
    Progress.objects.bulk_create(
        [Progress(workflow_id=pk) for pk in missing], ignore_conflicts=True
    )
    progress = Progress.objects.in_bulk(list(by_pk))
    found = {pk: Subject(workflow, progress[pk], target) for pk, workflow in by_pk.items()}
    look_again(found)
    return found


def look_again(subjects: dict[int, Subject]) -> None:
    """Counts what is held of these now, and reads their gaps."""
    rows = Instance.objects.filter(workflow__in=subjects, expired_at=None)
    if all(subject.target.has_list_times for subject in subjects.values()):
        rows = rows.filter(status__in=UNFINISHED | {Status.ERRORED}) | rows.exclude(
            status__in=UNFINISHED | FINISHED
        )
    counted = (
        rows.order_by()
        .values_list("workflow", "status")
        .annotate(held=Count("pk"), unread=Count("pk", filter=_UNREAD))
    )
    gaps = Gap.objects.filter(workflow__in=subjects).order_by(F("until").desc(nulls_last=True))
    for subject in subjects.values():
        subject.held, subject.unread, subject.gaps = Counter(), Counter(), []
    for pk, status, held, unread in counted:
        subjects[pk].held[status], subjects[pk].unread[status] = held, unread
    for gap in gaps:
        gap.workflow = subjects[gap.workflow_id].workflow
        subjects[gap.workflow_id].gaps.append(gap)


def _pages(gap: Gap) -> int:
    return max(1, -(-gap.rows // PER_PAGE))


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0
