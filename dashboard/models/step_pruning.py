"""Forgetting how steps went, in pieces so small that nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from dashboard.models.step_history import FailedAttempt, StepHour
from dashboard.models.workflow import Workflow

#: Single failed attempts are kept for so long, and of each workflow only so many, the newest. How
#: many there were stands in the hours, which are kept as long as instances are.
LONGEST_KEPT = timedelta(days=93)
MOST_KEPT = 10_000
PIECE = 500


def prune_steps(*, keep: timedelta | None, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Deletes hours older than `keep` (None keeps all) and failed attempts beyond the bounds, until
    none is left or the time is up. Returns how many."""
    deleted = 0
    for workflow in Workflow.objects.order_by("pk"):
        if keep is not None:
            deleted += _prune_hours(workflow, now - keep, is_time_up)
        oldest = max(now - min(keep or LONGEST_KEPT, LONGEST_KEPT), _oldest_of_most(workflow, now))
        deleted += _prune_failures(workflow, oldest, is_time_up)
    return deleted


def _oldest_of_most(workflow: Workflow, now: datetime) -> datetime:
    """Since when the workflow has as many failed attempts as may be kept of it."""
    newest = workflow.failed_attempts.order_by("-failed_on").values_list("failed_on", flat=True)
    return next(iter(newest[MOST_KEPT - 1 : MOST_KEPT]), now - LONGEST_KEPT)


def _prune_hours(workflow: Workflow, before: datetime, is_time_up: Callable[[], bool]) -> int:
    deleted = 0
    old = workflow.step_hours.filter(begins_on__lt=before).order_by("begins_on")
    while not is_time_up() and (piece := [*old.values_list("pk", flat=True)[:PIECE]]):
        deleted += StepHour.objects.filter(pk__in=piece).delete()[0]
    return deleted


def _prune_failures(workflow: Workflow, before: datetime, is_time_up: Callable[[], bool]) -> int:
    deleted = 0
    old = workflow.failed_attempts.filter(failed_on__lt=before).order_by("failed_on")
    while not is_time_up() and (piece := [*old.values_list("pk", flat=True)[:PIECE]]):
        deleted += FailedAttempt.objects.filter(pk__in=piece).delete()[0]
    return deleted
