"""Instances that stand still until somebody does something: from a bounded part of an index."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from dashboard.cloudflare.types import Status
from dashboard.insight.phase import PhaseKind
from dashboard.models.instance import Instance

#: Paused for longer than this is taken to be forgotten.
FORGOTTEN_AFTER = timedelta(days=1)
#: So many are looked at, of all workflows.
MOST = 10_000


@dataclass(frozen=True)
class Waiting:
    """How many of each workflow, by its key. `is_all`: there are no more than were looked at."""

    counts: Counter[int]
    is_all: bool


@dataclass(frozen=True)
class StuckStep:
    """Where instances are stuck: how many in which step of a workflow, by its key, and when each
    should have gone on, the first one first."""

    workflow: int
    step: str
    expected_by: list[datetime]


@dataclass(frozen=True)
class Stuck:
    """All steps in which instances are stuck, the most first; `is_all`: as for `Waiting`."""

    steps: list[StuckStep]
    is_all: bool

    @cached_property
    def counts(self) -> Counter[int]:
        """How many of each workflow."""
        counts: Counter[int] = Counter()
        for one in self.steps:
            counts[one.workflow] += len(one.expected_by)
        return counts


def stuck() -> Stuck:
    """Those that were seen where they stand after they should have gone on."""
    rows = Instance.objects.stuck().order_by()
    told = [*rows.values_list("workflow", "current_step", "expected_by")[: MOST + 1]]
    places: defaultdict[tuple[int, str], list[datetime]] = defaultdict(list)
    for workflow, step, expected_by in told[:MOST]:
        if expected_by:
            places[workflow, step].append(expected_by)
    steps = [StuckStep(*place, sorted(moments)) for place, moments in places.items()]
    steps.sort(key=lambda one: (-len(one.expected_by), one.expected_by[0]))
    return Stuck(steps, len(told) <= MOST)


def waiting_for_event() -> Waiting:
    """Those that waited for an event when they were last read."""
    found = Instance.objects.filter(phase=PhaseKind.WAITING_FOR_EVENT, expired_at=None)
    return _count(found.exclude(phase=""))


def forgotten(now: datetime) -> Waiting:
    """Those that have been paused for more than FORGOTTEN_AFTER."""
    before = now - FORGOTTEN_AFTER
    found = Instance.objects.filter(
        status=Status.PAUSED, expired_at=None, created_on__lt=before
    ).alias(since=Coalesce("modified_on", "status_seen_at"))
    return _count(found.filter(since__lt=before))


def _count(found: QuerySet[Instance]) -> Waiting:
    keys = [*found.order_by().values_list("workflow", flat=True)[: MOST + 1]]
    return Waiting(Counter(keys[:MOST]), len(keys) <= MOST)
