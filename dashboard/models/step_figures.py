"""How the steps of a workflow went: from events, which are sampled and old; from details, which
are exact and few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from django.db import connection
from django.db.models.functions import Length

from dashboard.cloudflare import types
from dashboard.cloudflare.types import StepType
from dashboard.insight.percentiles import percentile
from dashboard.models import by_hand
from dashboard.models.durations import LISTED, added_up
from dashboard.models.instance import Instance, InstanceDetail
from dashboard.models.step_history import StepHour
from dashboard.models.storing import storable
from dashboard.models.workflow import Workflow

#: Kept details that one page looks into, those read last; larger ones than this are left out.
MOST_DETAILS = 100
LARGEST_DETAIL = 64 * 1024
#: Of more hours than this, the newest tell how versions went.
MOST_HOURS = 5_000

SUMS = """
    SELECT step_name, sum(succeeded), sum(failed), sum(failed_attempts), {durations}
    FROM dashboard_stephour WHERE workflow_id = {{}} AND begins_on >= {{}} GROUP BY step_name
"""
LAST_FAILURES = """
    SELECT step_name, last_failed_on, last_failed_in FROM (
        SELECT step_name, last_failed_on, last_failed_in, row_number() OVER (
            PARTITION BY step_name ORDER BY last_failed_on DESC, begins_on DESC
        ) AS place FROM dashboard_stephour
        WHERE workflow_id = {} AND begins_on >= {} AND last_failed_on IS NOT NULL
    ) AS failures WHERE place = 1
"""

Key = TypeVar("Key")


@dataclass
class StepFigures:
    """How often one step ended, how often its attempts failed, how long it took when it succeeded.

    `durations`: how many took so many milliseconds. `is_sampled`: from events, so that there were
    at least as many. `last_failed_in`: the id of an instance, "" where no failure is known.
    """

    name: str
    is_sampled: bool
    succeeded: int = 0
    failed: int = 0
    failed_attempts: int = 0
    durations: Counter[int] = field(default_factory=Counter)
    last_failed_on: datetime | None = None
    last_failed_in: str = ""

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed

    @property
    def attempts(self) -> int:
        """Attempts that ended: a step that succeeds ends with its only successful one."""
        return self.succeeded + self.failed_attempts

    @property
    def failing_percent(self) -> float:
        """Of a hundred attempts, how many failed."""
        return 100 * self.failed_attempts / self.attempts if self.attempts else 0.0

    @property
    def p50(self) -> int | None:
        return percentile(self.durations, 50)

    @property
    def p95(self) -> int | None:
        return percentile(self.durations, 95)

    @property
    def p99(self) -> int | None:
        return percentile(self.durations, 99)

    def note_failure(self, at: datetime | None, instance_id: str) -> None:
        """Keeps the failure, if it is the last one so far."""
        if at and (self.last_failed_on is None or at >= self.last_failed_on):
            self.last_failed_on, self.last_failed_in = at, instance_id

    def add_hour(self, row: StepHour) -> None:
        """Adds what events told in one hour."""
        self.succeeded += row.succeeded
        self.failed += row.failed
        self.failed_attempts += row.failed_attempts
        for milliseconds, number in row.durations.items():
            self.durations[int(milliseconds)] += number
        self.note_failure(row.last_failed_on, row.last_failed_in)

    def add_step(self, step: types.Step, instance_id: str, since: datetime) -> None:
        """Adds one entry of an instance's log, as far as it ended since."""
        for attempt in step.attempts:
            if attempt.success is False and attempt.end and attempt.end >= since:
                self.failed_attempts += 1
                self.note_failure(attempt.end, instance_id)
        if step.success is None or step.end is None or step.end < since:
            return
        if step.success:
            self.succeeded += 1
            if step.start and step.start <= step.end:
                self.durations[round((step.end - step.start).total_seconds() * 1000)] += 1
        else:
            self.failed += 1


def of_workflow(workflow: Workflow, since: datetime) -> list[StepFigures]:
    """One for each step that ended or failed since, those that fail most first.

    The figures are those of the source that saw more of the step; the last failure is the later of
    what both know.
    """
    from_events = _of_events(workflow, since)
    from_details = _of_details(workflow, since)
    found = []
    for name in from_events.keys() | from_details.keys():
        told = [one[name] for one in (from_events, from_details) if name in one]
        chosen = max(told, key=lambda one: one.attempts)
        for other in told:
            chosen.note_failure(other.last_failed_on, other.last_failed_in)
        found.append(chosen)
    return sorted(found, key=lambda one: (-one.failed_attempts, one.name))


def _of_events(workflow: Workflow, since: datetime) -> dict[str, StepFigures]:
    """What events told, by the name of the step; summed up where the hours are kept."""
    begin = by_hand.held(since)
    places = [workflow.pk], [begin]
    found = {}
    sums = SUMS.format(durations=LISTED[connection.vendor])
    for name, succeeded, failed, attempts, listed in by_hand.rows(sums, *places):
        numbers = int(succeeded), int(failed), int(attempts)
        found[name] = StepFigures(name, True, *numbers, added_up(listed))
    for name, failed_on, failed_in in by_hand.rows(LAST_FAILURES, *places) if found else []:
        found[name].note_failure(_instant(failed_on), failed_in)
    return found


def _instant(told: datetime | str) -> datetime | None:
    """A moment as a statement gives it that is no column to SQLite."""
    return by_hand.moment(datetime.fromisoformat(told) if isinstance(told, str) else told)


def of_hours(hours: Iterable[StepHour], key: Callable[[StepHour], Key]) -> dict[Key, StepFigures]:
    """What events told, summed up over hours with the same key."""
    found: dict[Key, StepFigures] = {}
    for row in hours:
        figures = found.setdefault(key(row), StepFigures(row.step_name, is_sampled=True))
        figures.add_hour(row)
    return found


def by_day(hours: Iterable[StepHour]) -> list[tuple[date, StepFigures]]:
    """Of each day in UTC, the newest first."""
    days = of_hours(hours, lambda row: row.begins_on.date())
    return sorted(days.items(), key=lambda day: day[0], reverse=True)


def by_version(hours: Iterable[StepHour]) -> list[tuple[str, StepFigures]]:
    """Of each version, the one that was seen last first; "" where the instances are not known."""
    newest_first = sorted(hours, key=lambda row: row.begins_on, reverse=True)
    return [*of_hours(newest_first, lambda row: row.version_id).items()]


def of_versions(workflow: Workflow, since: datetime) -> dict[tuple[str, str], StepFigures]:
    """By version and step, of what is known since; of each the source that saw more of it. Only so
    much is read: the newest hours, and the details that were read last."""
    hours = workflow.step_hours.filter(begins_on__gte=since).exclude(step_name="")
    newest = hours.order_by("-begins_on")[:MOST_HOURS]
    found = of_hours(newest, lambda row: (row.version_id, row.step_name))
    read: dict[tuple[str, str], StepFigures] = {}
    for instance, step in steps_read(workflow, since):
        name = storable(step.base_name)
        key = instance.version_id, name
        figures = read.setdefault(key, StepFigures(name, is_sampled=False))
        figures.add_step(step, instance.instance_id, since)
    for key, figures in read.items():
        if key not in found or figures.attempts > found[key].attempts:
            found[key] = figures
    return found


def _of_details(workflow: Workflow, since: datetime) -> dict[str, StepFigures]:
    """What the details tell that were read last, by the name of the step."""
    found: dict[str, StepFigures] = {}
    for instance, step in steps_read(workflow, since):
        name = storable(step.base_name)
        figures = found.setdefault(name, StepFigures(name, is_sampled=False))
        figures.add_step(step, instance.instance_id, since)
    return {name: figures for name, figures in found.items() if figures.attempts or figures.failed}


def steps_read(workflow: Workflow, since: datetime) -> Iterator[tuple[Instance, types.Step]]:
    """The steps with a name in the details that were read last, of those that are not large."""
    kept = (
        InstanceDetail.objects.filter(instance__workflow=workflow, instance__read_at__gte=since)
        .alias(size=Length("body"))
        .filter(size__lte=LARGEST_DETAIL)
        .select_related("instance")
        .order_by("-instance__read_at")
    )
    for detail in kept[:MOST_DETAILS]:
        for step in detail.parse().steps:
            if step.type is StepType.STEP and step.base_name:
                yield detail.instance, step
