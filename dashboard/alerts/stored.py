"""The history that rules are judged by, read from the database.

The one place that knows its tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, F, Min, OuterRef, Q, Subquery, Sum

from dashboard.alerts.backtest import span
from dashboard.alerts.history import (
    Counts,
    Group,
    History,
    Period,
    Place,
    Reading,
    stuck_of,
    version_of,
)
from dashboard.alerts.kinds import Kind, Store, kind_of
from dashboard.models import (
    Account,
    AlertReading,
    AlertRule,
    CountsThen,
    ErrorGroup,
    ErrorGroupHour,
    Instance,
    Version,
    Workflow,
    WorkflowPeriod,
)
from dashboard.models.alert_reading import HEARTBEAT
from dashboard.models.group_past import with_unread_past
from dashboard.models.history import PERIOD, UncountedPast, days_before, hours_before

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Steps in which instances are stuck that are noted: a workflow may make up any number of them.
MOST_STEPS = 200
#: Versions that were not compared again since are no longer the newest, or nobody compares them.
COMPARED_SINCE = HOUR
#: A sentence names so many figures in which a version is worse.
MOST_WORDS = 3
#: Subjects of readings that the database tells at any moment.
LOOKED_UP = Q(subject__startswith="stuck:") | Q(subject__startswith="version:")


class Known(NamedTuple):
    """A figure that can be looked up at any moment. `began_at`: since when it is so, where that is
    known; `words`: what it says, besides its number."""

    value: float
    began_at: datetime | None
    words: str = ""


def recent(rule: AlertRule, now: datetime) -> History:
    """As far back as the rule looks, and no further."""
    kind = kind_of(rule.kind, rule.terms)
    history = read(kind, rule.workflow, now - kind.reach, now)
    if kind.STORE is Store.READINGS and kind.OF_WORKFLOW:
        return _with_this_moment(history, now)
    if kind.usual_over:
        # Looked up only of what is found without it: of most workflows, most of the time, nothing.
        found = [one.workflow for one in kind.evaluate(history, now) if one.workflow is not None]
        before = _periods(found, now - kind.reach - kind.usual_over, now)
        return replace(history, periods={**history.periods, **before})
    return history


def long(kind: Kind, workflow: Workflow | None, now: datetime) -> History:
    """As far back as a backtest looks."""
    workflows = 1 if workflow else Workflow.objects.present().count()
    since = now - span(workflows) - kind.reach - kind.usual_over
    return read(kind, workflow, since, now)


def read(kind: Kind, workflow: Workflow | None, since: datetime, now: datetime) -> History:
    """What is held since then of the store that the kind needs, of one workflow or of all.

    A workflow that was deleted and made again under its name is watched again.
    """
    accounts = dict(Account.objects.values_list("pk", "name"))
    rows = Workflow.objects.present().only("name", "account_id", "first_seen_at")
    if workflow is not None:
        rows = rows.filter(account=workflow.account_id, name=workflow.name)
    places = {row.pk: Place(row.name, row.account_id, row.first_seen_at) for row in rows}
    history = History(
        accounts=accounts,
        workflows=places if kind.OF_WORKFLOW else {},
        readings=_readings(since),
    )
    keys = list(places)
    if kind.STORE is Store.PERIODS:
        return replace(history, since=_periods_since(), periods=_periods(keys, since, now))
    if kind.STORE is Store.COUNTS:
        return replace(history, since=_counts_since(), counts=_counts(keys, since))
    if kind.STORE is Store.GROUPS:
        return replace(history, since=_periods_since(), groups=_groups(keys, since, kind.reach))
    return replace(history, since=_readings_since())


def looked_up(now: datetime) -> dict[str, Known]:
    """What the database tells at any moment, by the subject of a reading."""
    return _stuck() | _worse(now)


def _stuck() -> dict[str, Known]:
    """How many instances of a workflow are stuck in a step now, and since when the first is."""
    rows = Instance.objects.stuck().order_by().values_list("workflow_id", "current_step")
    counted = rows.annotate(number=Count("pk"), first=Min("expected_by"))
    return {
        stuck_of(workflow, step): Known(float(number), first)
        for workflow, step, number, first in counted.order_by("-number")[:MOST_STEPS]
    }


def _worse(now: datetime) -> dict[str, Known]:
    """In how many figures the newest version of a workflow is worse than the one before it, in
    which, and since when it is deployed; nothing of those that are as good."""
    rows = Version.objects.filter(compared_at__gt=now - COMPARED_SINCE).order_by("compared_at")
    newest = {row.workflow_id: row for row in rows}
    found = {}
    for workflow, row in newest.items():
        if (told := row.compared) and told.worse:
            words = "; ".join(one.text for one in told.worse[:MOST_WORDS])
            known = Known(float(len(told.worse)), row.created_on, words)
            found[version_of(workflow, row.version_id)] = known
    return found


def _with_this_moment(history: History, now: datetime) -> History:
    """Readings are noted once a minute; what can be looked up is not a minute old."""
    known = looked_up(now)
    readings = dict(history.readings)
    for subject in readings.keys() | known.keys():
        if subject.startswith(("stuck:", "version:")):
            reading = Reading(now, known[subject].value if subject in known else 0.0)
            readings[subject] = [*readings.get(subject, ()), reading]
    return replace(
        history,
        readings=readings,
        words={subject: one.words for subject, one in known.items()},
        began_at={subject: one.began_at for subject, one in known.items() if one.began_at},
    )


def _periods(workflows: list[int], since: datetime, now: datetime) -> dict[int, list[Period]]:
    """By workflow, all versions together; those that were open at the beginning too."""
    hours, days = hours_before(now), days_before(now)
    found: dict[int, list[Period]] = defaultdict(list)
    rows = WorkflowPeriod.objects.filter(workflow__in=workflows, begins_on__gt=since - HOUR)
    sums = [Sum(name) for name in ("created", "completed", "errored", "terminated")]
    grouped = rows.order_by("begins_on").values_list("workflow_id", "begins_on").annotate(*sums)
    for workflow, begins_on, created, completed, errored, terminated in grouped:
        length = DAY if begins_on < days else HOUR if begins_on < hours else PERIOD
        ended = (completed, errored, terminated)
        found[workflow].append(Period(begins_on, created, *ended, length))
    return dict(found)


def _periods_since() -> datetime | None:
    """From when on what happened was counted; instances from before are counted as time allows."""
    uncounted = UncountedPast.objects.first()
    if uncounted:
        return uncounted.began_at
    first: datetime | None = WorkflowPeriod.objects.aggregate(first=Min("begins_on"))["first"]
    return first


def _counts(workflows: list[int], since: datetime) -> dict[int, list[Counts]]:
    """By workflow, with what held at the beginning."""
    before = CountsThen.objects.filter(workflow=OuterRef("pk"), counted_at__lte=since)
    last = Subquery(before.order_by("-counted_at").values("pk")[:1])
    firsts = Workflow.objects.filter(pk__in=workflows).values_list(last)
    found: dict[int, list[Counts]] = defaultdict(list)
    at_first = CountsThen.objects.filter(pk__in=firsts)
    later = CountsThen.objects.filter(workflow__in=workflows, counted_at__gt=since)
    for rows in (at_first, later.order_by("counted_at")):
        for row in rows:
            found[row.workflow_id].append(Counts(row.counted_at, row.counts))
    return dict(found)


def _counts_since() -> datetime | None:
    first: datetime | None = CountsThen.objects.aggregate(first=Min("counted_at"))["first"]
    return first


def _groups(workflows: list[int], since: datetime, new_for: timedelta) -> list[Group]:
    """Those that were first seen since, and are counted by themselves; with how often they were
    seen in each hour while they were new."""
    rows = ErrorGroup.objects.heads().filter(workflow__in=workflows, first_seen_on__gt=since)
    found = [*rows.order_by("first_seen_on")]
    unread = with_unread_past({row.workflow_id for row in found}) if found else set()
    hours = _hours(found, new_for)
    return [
        Group(
            row.pk,
            row.workflow_id,
            row.title[:300],
            row.first_seen_on,
            hours[row.pk],
            row.workflow_id in unread,
        )
        for row in found
    ]


def _hours(groups: list[ErrorGroup], new_for: timedelta) -> dict[int, list[tuple[datetime, int]]]:
    """How many failed in each hour, by the key of the group, as long as these were new."""
    found: defaultdict[int, list[tuple[datetime, int]]] = defaultdict(list)
    rows = ErrorGroupHour.objects.filter(
        group__in=groups, begins_on__lte=F("group__first_seen_on") + new_for
    )
    for pk, begins_on, count in rows.order_by("begins_on").values_list(
        "group", "begins_on", "count"
    ):
        found[pk].append((begins_on, count))
    return found


def _readings(since: datetime) -> dict[str, list[Reading]]:
    """By subject, with what held at the beginning."""
    found: dict[str, list[Reading]] = defaultdict(list)
    rows = AlertReading.objects.filter(at__gte=since - 2 * HEARTBEAT).order_by("at")
    for subject, at, value in rows.values_list("subject", "at", "value"):
        found[subject].append(Reading(at, value))
    return dict(found)


def _readings_since() -> datetime | None:
    first: datetime | None = AlertReading.objects.aggregate(first=Min("at"))["first"]
    return first
