"""What is broken: groups of failures, stuck steps and new versions, as pages name them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.insight.causes import Appeared, Cause, Failing, Hanging, Place, causes
from dashboard.insight.group_state import QUIET_AFTER, GroupState
from dashboard.models import BriefWorkflow, Version, group_figures
from dashboard.models.addresses import workflow_address
from dashboard.models.attention import StuckStep
from dashboard.models.group_figures import GroupFigures
from dashboard.views.counts import list_address

HOUR = timedelta(hours=1)
#: What the states mean that need somebody.
BROKEN = (GroupState.REGRESSED, GroupState.NEW, GroupState.GROWING)
#: A version that was deployed so long before a moment may be why somebody asks about it.
BEFORE = timedelta(hours=1)
MOST_VERSIONS = 20


def groups_seen(now: datetime, anchor: datetime | None = None) -> list[GroupFigures]:
    """The groups that were seen within a day, or within a day before the anchor and since."""
    since = min(now, anchor or now) - QUIET_AFTER
    heads = group_figures.heads_seen(since)
    return group_figures.in_brief(heads, since=since, now=now, anchor=anchor)


def broken_now(found: Iterable[GroupFigures], now: datetime) -> list[Cause]:
    """The probable causes of what is new, growing or back."""
    recent = now.replace(minute=0, second=0, microsecond=0) - HOUR
    bad = [one for one in found if one.state in BROKEN]
    unread = group_figures.oldest_unread({one.group.workflow_id for one in bad})
    return causes(failing(one, recent, unread) for one in bad)


def failing(
    one: GroupFigures,
    since: datetime,
    unread: Mapping[int, datetime],
    state: GroupState | None = None,
) -> Failing:
    """A group; of an old one those that failed since are counted, in whole hours. `unread`: see
    `group_figures.oldest_unread`."""
    group, state = one.group, state or one.state
    first_unread = unread.get(group.workflow_id)
    is_new = state is GroupState.NEW
    return Failing(
        Place(
            group.workflow_id,
            group.workflow.name,
            group.step_name,
            group.workflow.get_absolute_url(),
        ),
        group.error_name or _("an error without a name"),
        group.title,
        group.get_absolute_url(),
        state,
        one.counted.first_seen_on,
        one.counted.count if is_new else one.since(since),
        is_new and first_unread is not None and first_unread < one.counted.first_seen_on,
    )


def hanging(
    steps: Iterable[StuckStep], workflows: Mapping[int, BriefWorkflow], anchor: datetime
) -> list[Hanging]:
    """Where instances are stuck, and how many of them since the anchor."""
    return [
        _hanging(one, workflows[one.workflow], anchor) for one in steps if one.workflow in workflows
    ]


def _hanging(one: StuckStep, workflow: BriefWorkflow, anchor: datetime) -> Hanging:
    account_id = workflow.account.account_id
    terms = {"workflow": f"{account_id}/{workflow.name}", "is": "stuck"}
    if one.step:
        terms["step"] = one.step
    return Hanging(
        Place(workflow.pk, workflow.name, one.step, workflow_address(account_id, workflow.name)),
        list_address(**terms),
        len(one.expected_by),
        sum(moment >= anchor for moment in one.expected_by),
        one.expected_by[0],
    )


def appeared(since: datetime, workflows: Collection[int]) -> list[Appeared]:
    """The versions of these workflows that were deployed since, and shortly before; the newest
    first."""
    found = Version.objects.filter(created_on__gte=since - BEFORE, workflow__in=workflows)
    found = found.select_related("workflow__account").defer("graph", "remaining")
    return [_appeared(one) for one in found.newest_first()[:MOST_VERSIONS]]


def _appeared(version: Version) -> Appeared:
    compared = version.compared
    return Appeared(
        version.workflow.name,
        version.version_id,
        version.get_absolute_url(),
        version.created_on or version.synced_at,
        tuple(one.text for one in compared.worse) if compared else None,
    )


@dataclass(frozen=True)
class BrokenNow:
    """What the overview names first: causes and stuck steps, those with the most instances first.
    Of all it finds it shows few."""

    causes: list[Cause]
    stuck: list[Hanging]
    is_all: bool

    #: So many are named.
    SHOWN = 5

    @property
    def groups(self) -> int:
        return sum(len(cause.parts) for cause in self.causes)

    @property
    def total(self) -> int:
        return len(self.causes) + len(self.stuck)

    @property
    def shown(self) -> list[Cause | Hanging]:
        both: list[Cause | Hanging] = [*self.causes, *self.stuck]
        return sorted(both, key=lambda one: -_size(one))[: self.SHOWN]


def _size(one: Cause | Hanging) -> int:
    return one.count if isinstance(one, Cause) else one.number
