"""Hours become days when nobody asks for the hour any more, so that months are read as quickly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from dashboard.models.step_history import StepFeed, StepHour
from dashboard.models.workflow import Workflow

FOLDED_AFTER = timedelta(days=2)
DAY = timedelta(days=1)


def fold_hours(*, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Sums up the hours of days that ended before FOLDED_AFTER in the first hour of each day, until
    none is left or the time is up. Returns how many days there were."""
    before = _midnight(now - FOLDED_AFTER)
    folded = 0
    for workflow in Workflow.objects.order_by("pk"):
        hours = workflow.step_hours.filter(begins_on__lt=before).exclude(begins_on__hour=0)
        while not is_time_up() and (hour := hours.order_by("begins_on").first()):
            _fold_day(workflow, _midnight(hour.begins_on))
            folded += 1
    return folded


def _fold_day(workflow: Workflow, day: datetime) -> None:
    with transaction.atomic():
        # Whoever counts events adds to the same rows.
        StepFeed.objects.select_for_update().filter(account=workflow.account_id).first()
        hours = workflow.step_hours.filter(begins_on__gte=day, begins_on__lt=day + DAY)
        sums: dict[tuple[str, str], StepHour] = {}
        for hour in hours.order_by("begins_on"):
            place = hour.step_name, hour.version_id
            if place in sums:
                sums[place].add(hour)
            else:
                sums[place] = hour
        hours.delete()
        for row in sums.values():
            row.pk, row.begins_on = None, day
        StepHour.objects.bulk_create(sums.values())


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
