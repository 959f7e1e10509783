"""How groups of failures stand: what was counted of each and of all that is merged into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise

from django.db import connection
from django.db.models import Max, Sum, TextField
from django.db.models.functions import Cast

from dashboard.insight.group_state import (
    HOUR,
    USUAL_OVER,
    Counted,
    GroupState,
    fails_more_often,
    is_growing,
    state_of,
)
from dashboard.models import by_hand, history_figures
from dashboard.models.error_group import Decision, ErrorGroup, ErrorGroupHour, families
from dashboard.models.instance import ERRORED_UNREAD, Instance
from dashboard.models.workflow import Version

#: Groups that are looked at, those that were seen last.
MOST = 500
#: Cloudflare's clock may be ahead of ours.
AHEAD = timedelta(hours=1)
DAY = timedelta(days=1)
#: So many of those that were not read are looked at to tell how old they are.
OLDEST = 200
#: Errored instances that were not read are counted up to so many.
MOST_UNREAD = 1_000
SPANS = """
    SELECT group_id, {sums} FROM dashboard_errorgrouphour
    WHERE begins_on >= {{}} AND group_id IN {{}} GROUP BY group_id
"""
STEPS = """
    SELECT group_id, CAST({seconds} AS bigint) / {{}} AS place, sum(count)
    FROM dashboard_errorgrouphour WHERE begins_on >= {{}} AND group_id IN {{}} GROUP BY 1, 2
"""
#: Whatever comes then is counted too: Cloudflare's clock may be ahead.
LATEST = timedelta(days=365)
#: How many seconds after a moment an hour began.
SECONDS = {
    "sqlite": "unixepoch(begins_on) - unixepoch({})",
    "postgresql": "extract(epoch FROM begins_on - {})",
}


@dataclass(frozen=True)
class VersionCount:
    """How many failed in a version since the hours that are known, and when the last did."""

    version_id: str
    count: int
    last_seen_on: datetime


@dataclass
class GroupFigures:
    """A group with what was counted of it and of all that is merged into it. `hours` of `counted`
    and `versions` go back as far as was asked for. `anchor`: since when it is asked whether it
    grows; None when only lately matters."""

    group: ErrorGroup
    members: list[int]
    counted: Counted
    versions: list[VersionCount]
    version_times: dict[str, datetime | None]
    now: datetime
    anchor: datetime | None = None

    @cached_property
    def state(self) -> GroupState:
        decision = self.group.decision
        told = decision.told(self.version_times) if decision else None
        return state_of(self.counted, told, self.now)

    @cached_property
    def is_growing(self) -> bool:
        """Whether it fails far more often since the anchor than in the week before."""
        return is_growing(self.counted, self.now, self.anchor)

    def since(self, moment: datetime) -> int:
        """How many failed since then: in whole hours."""
        return sum(n for begins, n in self.counted.hours.items() if begins >= moment)


def heads_seen(since: datetime, workflows: Collection[int] | None = None) -> list[ErrorGroup]:
    """Groups of these workflows, or of all, that were seen since then, themselves or what is merged
    into them: at most MOST."""
    seen = ErrorGroup.objects.filter(last_seen_on__gte=since).order_by("-last_seen_on", "-pk")
    if workflows is not None:
        seen = seen.filter(workflow__in=workflows)
    found = dict(seen.values_list("pk", "merged_into")[:MOST])
    merged_into = dict(
        ErrorGroup.objects.exclude(merged_into=None).values_list("pk", "merged_into")
    )
    return of_keys({_head_of(pk, merged_into) for pk in found})


def of_keys(pks: Collection[int]) -> list[ErrorGroup]:
    """The groups with these keys, in any order, with all that figures and lists ask of them."""
    groups = ErrorGroup.objects.filter(pk__in=pks).defer("sample")
    # Many groups share few workflows: each is made once.
    return [*groups.select_related("decision__decided_by").prefetch_related("workflow__account")]


def _head_of(pk: int, merged_into: dict[int, int | None]) -> int:
    while head := merged_into.get(pk):
        pk = head
    return pk


def figures(
    groups: Sequence[ErrorGroup], *, since: datetime, now: datetime, anchor: datetime | None = None
) -> list[GroupFigures]:
    """What was counted of these groups, hour by hour since then or for as long as their states
    need. Asks as often for many as for one. `anchor`: see `GroupFigures`."""
    members = families(groups)
    head_of = {pk: head for head, family in members.items() for pk in family}
    usual_from = _usual_since(min(now, anchor or now))
    since = min([since, usual_from, *_ignored_since(groups)])
    hours, versions = _hours(head_of, since), _versions(head_of, since)
    found = _figures(groups, members, hours, versions, now=now, anchor=anchor)
    _tell_ended(found, usual_from)
    return found


def in_brief(
    groups: Sequence[ErrorGroup], *, since: datetime, now: datetime, anchor: datetime | None = None
) -> list[GroupFigures]:
    """The same of many groups, as far as their states and what was counted since then, or since a
    day before the anchor, tell: hours are lumped together where nothing parts them, and only groups
    of which somebody said something have versions, and each hour."""
    members = families(groups)
    head_of = {pk: head for head, family in members.items() for pk in family}
    parts = _parts(since, now, anchor)
    hours = _lumps(head_of, parts)
    said = [group for group in groups if group.decision]
    of_said = {pk: group.pk for group in said for pk in members[group.pk]}
    earliest = min([*parts, *_ignored_since(said)])
    if said:
        hours |= _hours(of_said, earliest)
    found = _figures(groups, members, hours, _versions(of_said, earliest), now=now, anchor=anchor)
    _tell_ended(found, earliest)
    return found


def _parts(since: datetime, now: datetime, anchor: datetime | None) -> list[datetime]:
    """The hours that part what was counted, for `since` and for all that states ask: whether a
    group grows, and how often it failed in the day before the anchor, and since."""
    recent = _hour(now) - HOUR
    parts = {_hour(since), recent - USUAL_OVER, recent}
    if anchor is not None:
        hour = _hour(anchor)
        since_anchor = min(recent, hour)
        parts |= {since_anchor - USUAL_OVER, since_anchor, hour, hour - DAY, hour - DAY + HOUR}
    return sorted(parts)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def by_step(
    some: Iterable[GroupFigures], *, since: datetime, step: timedelta
) -> dict[int, dict[datetime, int]]:
    """By the key of each group, how many failed in each interval of this length since then."""
    head_of = {pk: one.group.pk for one in some for pk in one.members}
    if not head_of:
        return {}
    begin, statement = by_hand.held(since), STEPS.format(seconds=SECONDS[connection.vendor])
    rows = by_hand.rows(statement, [begin], [int(step.total_seconds())], [begin], head_of)
    found: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    for pk, place, number in rows:
        steps, at = found[head_of[pk]], since + int(place) * step
        steps[at] = steps.get(at, 0) + int(number)
    return found


def tell_versions(some: Sequence[GroupFigures], *, since: datetime) -> None:
    """Gives these of `in_brief` the versions that failed since."""
    found = _versions({pk: one.group.pk for one in some for pk in one.members}, since)
    for one in some:
        one.versions = _newest_first(found.get(one.group.pk, []))


def _figures(
    groups: Sequence[ErrorGroup],
    members: Mapping[int, list[int]],
    hours: Mapping[int, dict[datetime, int]],
    versions: Mapping[int, list[VersionCount]],
    *,
    now: datetime,
    anchor: datetime | None = None,
) -> list[GroupFigures]:
    known = {group.pk: group for group in groups}
    merged = [pk for family in members.values() for pk in family if pk not in known]
    if merged:
        known |= ErrorGroup.objects.defer("sample").in_bulk(merged)
    times = _version_times(group for group in groups if group.decision)
    found = []
    for group in groups:
        told = versions.get(group.pk, [])
        family = [known[pk] for pk in members[group.pk] if pk in known]
        found.append(
            GroupFigures(
                group,
                members[group.pk],
                _counted(family, hours.get(group.pk, {}), told),
                _newest_first(told),
                times[group.workflow_id],
                now,
                anchor,
            )
        )
    return found


def _tell_ended(found: Iterable[GroupFigures], since: datetime) -> None:
    """Adds how many ended in each hour since then to those that fail more often: only there it
    matters."""
    more = [
        one
        for one in found
        if any(fails_more_often(one.counted, one.now, anchor) for anchor in (None, one.anchor))
    ]
    if not more:
        return
    workflows = {one.group.workflow_id for one in more}
    ended = history_figures.by_hour(workflows, since, more[0].now + AHEAD)
    for one in more:
        hours = ended.get(one.group.workflow_id, {})
        told = {at: sums.ended for at, sums in hours.items()}
        one.counted = replace(one.counted, ended=told)


def _newest_first(versions: Iterable[VersionCount]) -> list[VersionCount]:
    return sorted(versions, key=lambda one: one.last_seen_on, reverse=True)


def _counted(
    family: list[ErrorGroup], hours: dict[datetime, int], versions: list[VersionCount]
) -> Counted:
    return Counted(
        min(member.first_seen_on for member in family),
        max(member.last_seen_on for member in family),
        sum(member.count for member in family),
        hours,
        {one.version_id: one.last_seen_on for one in versions},
    )


def _ignored_since(groups: Iterable[ErrorGroup]) -> list[datetime]:
    told = (group.decision for group in groups)
    return [one.decided_at for one in told if one and one.kind != Decision.Kind.REOPENED]


def _usual_since(now: datetime) -> datetime:
    """From when on a state needs every hour."""
    return now - USUAL_OVER - 2 * HOUR


def _lumps(
    head_of: Mapping[int, int], begins: Sequence[datetime]
) -> defaultdict[int, dict[datetime, int]]:
    """What failed from each of these moments to the next, as if in the last hour before that: so no
    lump stands before its group was first seen. Sorted moments, all of whole hours."""
    found: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    if not head_of:
        return found
    ends = [*(end - HOUR for end in begins[1:]), begins[-1]]
    sums = "sum(CASE WHEN begins_on >= {} AND begins_on < {} THEN count ELSE 0 END)"
    spans = [*pairwise([*begins, begins[-1] + LATEST])]
    statement = SPANS.format(sums=", ".join([sums] * len(spans)))
    values = [[by_hand.held(moment)] for span in spans for moment in span]
    for pk, *numbers in by_hand.rows(statement, *values, [by_hand.held(begins[0])], head_of):
        hours = found[head_of[pk]]
        for at, number in zip(ends, numbers, strict=True):
            if number:
                hours[at] = hours.get(at, 0) + int(number)
    return found


def _hours(head_of: dict[int, int], since: datetime) -> dict[int, dict[datetime, int]]:
    """As text, for many groups share few hours: each is read once."""
    found: defaultdict[int, dict[datetime, int]] = defaultdict(dict)
    moments: dict[str, datetime] = {}
    rows = ErrorGroupHour.objects.filter(group__in=head_of, begins_on__gte=since).order_by()
    told = rows.values_list("group", Cast("begins_on", TextField()))
    for pk, text, count in told.annotate(sum=Sum("count")):
        if text not in moments:
            begins = datetime.fromisoformat(text)
            moments[text] = begins.astimezone(UTC) if begins.tzinfo else begins.replace(tzinfo=UTC)
        hours = found[head_of[pk]]
        hours[moments[text]] = hours.get(moments[text], 0) + count
    return found


def _versions(head_of: dict[int, int], since: datetime) -> dict[int, list[VersionCount]]:
    sums: defaultdict[tuple[int, str], list[VersionCount]] = defaultdict(list)
    rows = ErrorGroupHour.objects.filter(group__in=head_of, begins_on__gte=since).order_by()
    told = rows.values_list("group", "version_id").annotate(
        sum=Sum("count"), on=Max("last_seen_on")
    )
    for pk, version_id, count, last_on in told:
        sums[head_of[pk], version_id].append(VersionCount(version_id, count, last_on))
    found: defaultdict[int, list[VersionCount]] = defaultdict(list)
    for (head, version_id), parts in sums.items():
        last_on = max(part.last_seen_on for part in parts)
        found[head].append(VersionCount(version_id, sum(part.count for part in parts), last_on))
    return found


def _version_times(groups: Iterable[ErrorGroup]) -> dict[int, dict[str, datetime | None]]:
    """When each version was created, by workflow."""
    found: defaultdict[int, dict[str, datetime | None]] = defaultdict(dict)
    rows = Version.objects.filter(workflow__in={group.workflow_id for group in groups})
    for workflow, version_id, created_on in rows.values_list(
        "workflow", "version_id", "created_on"
    ):
        found[workflow][version_id] = created_on
    return found


def unread(workflows: Collection[int] | None = None) -> int:
    """How many errored instances of these workflows, or of all, are in no group because their
    detail was not read yet: at most MOST_UNREAD, and that stands for more."""
    rows = Instance.objects.filter(ERRORED_UNREAD)
    if workflows is not None:
        rows = rows.filter(workflow__in=workflows)
    return rows.order_by()[:MOST_UNREAD].count()


def oldest_unread(workflows: Collection[int]) -> dict[int, datetime]:
    """When the first errored instance ended that is in no group yet, for its detail was not read,
    by workflow: as its row tells, of the OLDEST that were created first. A group that was first
    seen later may be older than it seems."""
    found = {}
    for workflow in sorted(workflows):
        rows = Instance.objects.filter(ERRORED_UNREAD, workflow=workflow).order_by("created_on")
        told = rows.values_list("ended_on", "modified_on", "created_on")[:OLDEST]
        if told:
            found[workflow] = min(next(filter(None, moments)) for moments in told)
    return found
