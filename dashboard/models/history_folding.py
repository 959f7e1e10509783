"""Periods of 5 minutes become hours and then days, so that months are read as quickly; of the
counts as they were the last of each is kept. Both are forgotten with the instances of their
time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from dashboard.models.happened import Happened
from dashboard.models.history import CountsThen, WorkflowPeriod, days_before, hours_before
from dashboard.models.workflow import Workflow

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PIECE = 500


def fold_history(*, now: datetime, is_time_up: Callable[[], bool]) -> int:
    """Folds what is old enough, until nothing is left or the time is up. Returns how many hours
    and days it made."""
    folded = 0
    for workflow in Workflow.objects.order_by("pk"):
        # What is a day by now need not become hours first.
        for before, length in ((days_before(now), DAY), (hours_before(now), HOUR)):
            periods = workflow.periods.filter(_is_within("begins_on", length), begins_on__lt=before)
            while not is_time_up() and (first := periods.order_by("begins_on").first()):
                _fold_periods(workflow, _opening(first.begins_on, length), length, now)
                folded += 1
            counts = workflow.counts_then.filter(_is_within("begins_at", length))
            while not is_time_up() and (
                then := counts.filter(begins_at__lt=before).order_by("begins_at").first()
            ):
                _keep_last(workflow, _opening(then.begins_at, length), length)
                folded += 1
    return folded


def prune_history(*, before: datetime, is_time_up: Callable[[], bool]) -> int:
    """Deletes what history tells of the time before, until nothing is left or the time is up.
    Returns how many rows."""
    deleted = 0
    for rows in (
        WorkflowPeriod.objects.filter(begins_on__lt=before).order_by("begins_on"),
        CountsThen.objects.filter(begins_at__lt=before).order_by("pk"),
    ):
        while not is_time_up() and (piece := [*rows.values_list("pk", flat=True)[:PIECE]]):
            deleted += rows.model.objects.filter(pk__in=piece).delete()[0]
    return deleted


def _fold_periods(workflow: Workflow, begins: datetime, length: timedelta, now: datetime) -> None:
    """Takes the periods away and adds them to the longer one, as whoever records does: so neither
    waits long for the other, and nothing is lost."""
    happened = Happened(now)
    with transaction.atomic():
        rows = workflow.periods.filter(begins_on__gt=begins, begins_on__lt=begins + length)
        found = [*rows.select_for_update().order_by("begins_on", "version_id")]
        workflow.periods.filter(pk__in=[row.pk for row in found]).delete()
        for row in found:
            happened.folded(row)
        if length == DAY:
            workflow.periods.filter(begins_on=begins).update(durations={})
        happened.add()


def _keep_last(workflow: Workflow, begins: datetime, length: timedelta) -> None:
    with transaction.atomic():
        rows = workflow.counts_then.filter(begins_at__gte=begins, begins_at__lt=begins + length)
        last = rows.order_by("-begins_at").first()
        if last:
            rows.exclude(pk=last.pk).delete()
            rows.update(begins_at=begins)


def _is_within(name: str, length: timedelta) -> Q:
    """It begins within an hour, or a day, and does not open it."""
    opens = Q(**{f"{name}__minute": 0})
    return ~(opens & Q(**{f"{name}__hour": 0}) if length == DAY else opens)


def _opening(moment: datetime, length: timedelta) -> datetime:
    opening = moment.replace(minute=0)
    return opening.replace(hour=0) if length == DAY else opening
