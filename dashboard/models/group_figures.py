"""How groups of failures stand: what was counted of each and of all that is merged into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from django.db.models import Max, Sum, TextField
from django.db.models.functions import Cast

from dashboard.insight.group_state import (
    USUAL_OVER,
    Counted,
    GroupState,
    fails_more_often,
    is_growing,
    state_of,
)
from dashboard.models import history_figures
from dashboard.models.error_group import Decision, ErrorGroup, ErrorGroupHour, families
from dashboard.models.instance import ERRORED_UNREAD, Instance
from dashboard.models.workflow import Version

#: Groups that are looked at, those that were seen last.
MOST = 500
#: Cloudflare's clock may be ahead of ours.
AHEAD = timedelta(hours=1)
#: So many of those that were not read are looked at to tell how old they are.
OLDEST = 200
#: Errored instances that were not read are counted up to so many.
MOST_UNREAD = 1_000


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


def heads_seen(since: datetime, workflow: int | None = None) -> list[ErrorGroup]:
    """Groups that were seen since then, themselves or what is merged into them: at most MOST."""
    seen = ErrorGroup.objects.filter(last_seen_on__gte=since).order_by("-last_seen_on", "-pk")
    if workflow is not None:
        seen = seen.filter(workflow=workflow)
    found = dict(seen.values_list("pk", "merged_into")[:MOST])
    merged_into = dict(
        ErrorGroup.objects.exclude(merged_into=None).values_list("pk", "merged_into")
    )
    heads = {_head_of(pk, merged_into) for pk in found}
    return [*ErrorGroup.objects.described().filter(pk__in=heads)]


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
    usual_from = min(now, anchor or now) - USUAL_OVER - timedelta(hours=2)
    since = min([since, usual_from, *_ignored_since(groups)])
    counted: dict[int, list[ErrorGroup]] = defaultdict(list)
    for member in ErrorGroup.objects.filter(pk__in=head_of):
        counted[head_of[member.pk]].append(member)
    hours = _hours(head_of, since)
    versions = _versions(head_of, since)
    times = _version_times(groups)
    found = [
        GroupFigures(
            group,
            members[group.pk],
            _counted(counted[group.pk], hours[group.pk], versions[group.pk]),
            sorted(versions[group.pk], key=lambda one: one.last_seen_on, reverse=True),
            times[group.workflow_id],
            now,
            anchor,
        )
        for group in groups
    ]
    _tell_ended(found, usual_from)
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


def unread(workflow: int | None = None) -> int:
    """How many errored instances are in no group because their detail was not read yet: at most
    MOST_UNREAD, and that stands for more."""
    rows = Instance.objects.filter(ERRORED_UNREAD)
    if workflow is not None:
        rows = rows.filter(workflow=workflow)
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
