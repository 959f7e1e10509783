"""Failures with the same cause: how they stand, and what somebody says of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from django.http import Http404, HttpRequest, QueryDict
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from dashboard.api import seen
from dashboard.api.failures import Misfit, Refused
from dashboard.api.identity import Expensive, acting, asking
from dashboard.api.shapes import Id, answers, base_of
from dashboard.forms.groups import FORMS, USUAL, GroupFilterForm
from dashboard.models import Decision, ErrorGroup, User, access_of, deciding, group_figures
from dashboard.models.group_figures import GroupFigures
from dashboard.views.group_decisions import say
from dashboard.views.group_listing import GroupListing

router = Router(tags=["Groups"])

#: Versions of one group look this far back.
KNOWN = timedelta(days=31)
SAYINGS = 50


class GroupTold(Schema):
    """Failures of a workflow with one cause, as far as their texts tell. `count` only counts up;
    `recent`: how many failed in the period that was asked for, or in the last 31 days."""

    pk: int
    account_id: str
    workflow: str
    step_name: str
    error_name: str
    message: str
    state: str
    first_seen_on: datetime
    last_seen_on: datetime
    count: int
    recent: int
    versions: list[str] = Field(description="That failed so, the last first.")
    merged_into: int | None
    href: str

    @classmethod
    def facts(cls, figures: GroupFigures, recent: int, base: str) -> dict[str, Any]:
        group, counted = figures.group, figures.counted
        copied = ("pk", "step_name", "error_name", "message")
        return {name: getattr(group, name) for name in copied} | {
            "account_id": group.workflow.account.account_id,
            "workflow": group.workflow.name,
            "state": figures.state.slug,
            "first_seen_on": counted.first_seen_on,
            "last_seen_on": counted.last_seen_on,
            "count": counted.count,
            "recent": recent,
            "versions": [one.version_id for one in figures.versions],
            "merged_into": group.merged_into_id,
            "href": base + group.get_absolute_url(),
        }


class Groups(Schema):
    """What matters first. `left_out`: so many more fit; `unread`: errored instances that are in no
    group yet, at most 1000."""

    as_of: datetime
    groups: list[GroupTold]
    left_out: int
    unread: int


class SayingTold(Schema):
    """What somebody said of it."""

    kind: str
    by: str
    at: datetime
    reason: str
    version_id: str
    until_at: datetime | None
    per_hour: int | None
    further: int | None
    other: int | None

    @classmethod
    def of(cls, decision: Decision) -> Self:
        copied = ("kind", "reason", "version_id", "until_at", "per_hour", "further")
        return cls(
            **{name: getattr(decision, name) for name in copied},
            by=str(decision.decided_by),
            at=decision.decided_at,
            other=decision.other_id,
        )


class OneGroup(GroupTold):
    as_of: datetime
    query: str = Field(description="Finds its instances: the `q` of /instances.")
    sample: str
    sample_instance: str
    sayings: list[SayingTold]


class Saying(Schema):
    """What is said of a group. Ignoring it takes a reason and one of `until_at`, `per_hour` and
    `further`; a note takes a reason; merging takes `other`."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["resolved", "ignored", "reopened", "merged", "split", "note"]
    reason: str = Field("", max_length=2000)
    version_id: str = Field("", max_length=64)
    until_at: datetime | None = None
    per_hour: int | None = Field(None, ge=0, le=10**9)
    further: int | None = Field(None, ge=1, le=10**9)
    other: int | None = Field(None, ge=1, le=2**63 - 1)


@router.get("/groups", response=answers(Groups), throttle=[Expensive()])
def list_groups(
    request: HttpRequest,
    *,
    workflow: Annotated[str, Query(description="Its account's id, a slash, and its name.")] = "",
    state: Annotated[list[str], Query(description="Any of these.")] = [],  # noqa: B006
    since: Annotated[str, Query(description="24h, 7d or 30d.")] = USUAL,
) -> Groups:
    """The groups that were seen in the period."""
    return listed(asking(request), workflow, state, since, base_of(request))


def listed(user: User, workflow: str, states: list[str], since: str, base: str) -> Groups:
    """The groups that were seen in the period and stand so; raises Misfit."""
    given = QueryDict(mutable=True)
    given.update({"workflow": workflow, "since": since})
    given.setlist("state", states)
    form, now = GroupFilterForm(given, access_of(user)), timezone.now()
    if not form.is_valid():
        raise Misfit.of(form)
    listing = GroupListing(form, now, given)
    rows = listing.rows
    return Groups(
        as_of=listing.at,
        groups=[GroupTold(**GroupTold.facts(row.figures, row.count, base)) for row in rows],
        left_out=listing.left_out,
        unread=listing.unread,
    )


@router.get("/groups/{pk}", response=answers(OneGroup, 404), throttle=[Expensive()])
def get_group(request: HttpRequest, pk: Id) -> OneGroup:
    """One group, with what was said of it."""
    return _told(_existing(asking(request), pk), base_of(request))


@router.post("/groups/{pk}/decisions", response=answers(OneGroup, 404, 409), throttle=[Expensive()])
def decide(request: HttpRequest, pk: Id, saying: Saying) -> OneGroup:
    """Says something of a group; each saying stays, with who and when."""
    group, now = _existing(asking(request), pk), timezone.now()
    user = acting(request, group.workflow)
    given = saying.dict(exclude_none=True, exclude={"kind"})
    if saying.until_at:
        given["until_at"] = saying.until_at.isoformat()
    form = FORMS[saying.kind](given, group=group)
    if not form.is_valid():
        raise Misfit.of(form)
    try:
        is_said = say(group, Decision.Kind(saying.kind), form, user, now=now)
    except deciding.CannotMerge as error:
        raise Misfit(mistakes=[("other", str(error))]) from error
    if not is_said:
        raise Refused("Nothing was changed: it is not merged into any group.")
    return _told(_existing(user, pk), base_of(request))


def _existing(user: User, pk: int) -> ErrorGroup:
    found = seen.groups(user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such group.")
    return found


def _told(group: ErrorGroup, base: str) -> OneGroup:
    now = timezone.now()
    since = now - KNOWN
    figures = group_figures.figures([group], since=since, now=now)[0]
    sayings = group.decisions.select_related("decided_by")[:SAYINGS]
    return OneGroup(
        **GroupTold.facts(figures, figures.since(since), base),
        as_of=now,
        query=f"group:{group.pk}",
        sample=group.sample,
        sample_instance=group.sample_instance,
        sayings=[SayingTold.of(one) for one in sayings],
    )
