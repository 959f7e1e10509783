"""Pure: how a group of failures stands, from its counts per hour and from what people decided."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.insight.version_watch import fisher

HOUR = timedelta(hours=1)
#: A group is new for so long, and quiet after so long without a failure.
NEW_FOR = timedelta(hours=24)
QUIET_AFTER = timedelta(hours=24)
#: What is usual is told from so much of the past.
USUAL_OVER = timedelta(days=7)
#: See `is_growing`.
LEAST = 5
TIMES = 2.0
ROOTS = 3.0
ALPHA = 0.001


class GroupState(enum.Enum):
    """What a group needs of a reader, the most urgent first: its mark in HTML and address, the word
    a person reads, and what it means."""

    REGRESSED = (
        "regressed",
        gettext_noop("Regressed"),
        gettext_noop("failed again after it was said to be resolved"),
    )
    NEW = ("new", gettext_noop("New"), gettext_noop("first seen in the last 24 hours"))
    GROWING = (
        "growing",
        gettext_noop("Growing"),
        gettext_noop("fails far more often than in the week before"),
    )
    ONGOING = ("ongoing", gettext_noop("Ongoing"), gettext_noop("goes on as it did"))
    QUIET = (
        "quiet",
        gettext_noop("Quiet"),
        gettext_noop("not seen for 24 hours; nobody said it is resolved"),
    )
    IGNORED = (
        "ignored",
        gettext_noop("Ignored"),
        gettext_noop("somebody said to ignore it until something happens"),
    )
    RESOLVED = (
        "resolved",
        gettext_noop("Resolved"),
        gettext_noop("somebody said it is resolved, and it was not seen since"),
    )

    def __init__(self, slug: str, word: str, meaning: str) -> None:
        self.slug = slug
        self._word = word
        self._meaning = meaning

    @property
    def word(self) -> str:
        return _(self._word)

    @property
    def meaning(self) -> str:
        return _(self._meaning)

    @property
    def rank(self) -> int:
        """0 for what is read first."""
        return [*GroupState].index(self)


@dataclass(frozen=True)
class Resolved:
    """Somebody said so at this moment. `older`: the ids of versions that may still fail; a failure
    in any other means that it came back."""

    at: datetime
    older: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ignored:
    """Somebody said so at this moment, when `count` failures were counted: until a moment, until
    more than so many fail within one hour, or until so many more have failed. With several, the
    first that comes true ends it; with none it has no end."""

    at: datetime
    count: int
    until: datetime | None = None
    per_hour: int | None = None
    further: int | None = None


@dataclass(frozen=True)
class Counted:
    """What is known of a group: when it was first and last seen, how many failures were counted,
    how many in each hour, and when it was last seen in each version. `ended`: how many instances of
    its workflow ended in each hour, failed or not; nothing where nobody has asked yet."""

    first_seen_on: datetime
    last_seen_on: datetime
    count: int
    hours: Mapping[datetime, int] = field(default_factory=dict)
    versions: Mapping[str, datetime] = field(default_factory=dict)
    ended: Mapping[datetime, int] = field(default_factory=dict)


def state_of(counted: Counted, decision: Resolved | Ignored | None, now: datetime) -> GroupState:
    """How the group stands at `now`."""
    if isinstance(decision, Resolved):
        return GroupState.REGRESSED if is_back(counted, decision) else GroupState.RESOLVED
    if decision and is_ignored(counted, decision, now):
        return GroupState.IGNORED
    if now - counted.first_seen_on < NEW_FOR:
        return GroupState.NEW
    if now - counted.last_seen_on >= QUIET_AFTER:
        return GroupState.QUIET
    return GroupState.GROWING if is_growing(counted, now) else GroupState.ONGOING


def is_back(counted: Counted, resolved: Resolved) -> bool:
    """Whether it failed since, in a version where it should not."""
    return any(
        seen_on > resolved.at and version_id not in resolved.older
        for version_id, seen_on in counted.versions.items()
    )


def is_ignored(counted: Counted, ignored: Ignored, now: datetime) -> bool:
    """Whether nothing has ended it yet. An hour counts once it began after the decision."""
    if ignored.until is not None and now >= ignored.until:
        return False
    if ignored.further is not None and counted.count - ignored.count >= ignored.further:
        return False
    if ignored.per_hour is None:
        return True
    since = [number for begins, number in counted.hours.items() if begins >= ignored.at]
    return max(since, default=0) <= ignored.per_hour


def is_growing(counted: Counted, now: datetime, since: datetime | None = None) -> bool:
    """Whether it fails far more often lately than in the week before: since that moment, where it
    is given, and always in this hour and the one before.

    Both must hold. It fails more often by the clock: at least LEAST times, TIMES as often as usual,
    and so far beyond it that chance seldom does it (a Poisson count lies within ROOTS roots of its
    mean). And that is not because more instances end: of those that ended, TIMES as large a share
    failed so, and by Fisher's exact test chance does that with a probability below ALPHA. Where it
    is not known how many ended, nothing is called growing.
    """
    return fails_more_often(counted, now, since) and _takes_larger_share(counted, now, since)


def fails_more_often(counted: Counted, now: datetime, since: datetime | None = None) -> bool:
    """Whether the counts alone say so."""
    usual_from, recent_from = _spans(counted, now, since)
    recent = _sum(counted.hours, recent_from)
    usual = _sum(counted.hours, usual_from, recent_from)
    hours = (recent_from - usual_from) / HOUR
    if hours <= 0 or recent < LEAST:
        return False
    expected = usual / hours * ((now - recent_from) / HOUR)
    return recent >= TIMES * expected and recent > expected + ROOTS * math.sqrt(expected)


def _takes_larger_share(counted: Counted, now: datetime, since: datetime | None) -> bool:
    usual_from, recent_from = _spans(counted, now, since)
    recent = _sum(counted.hours, recent_from)
    usual = _sum(counted.hours, usual_from, recent_from)
    # What failed did end, even where history has not counted it yet.
    ended = max(recent, _sum(counted.ended, recent_from))
    usual_ended = max(usual, _sum(counted.ended, usual_from, recent_from))
    if not usual_ended or recent / ended < TIMES * usual / usual_ended:
        return False
    return fisher(recent, ended, usual, usual_ended) < ALPHA


def _spans(counted: Counted, now: datetime, since: datetime | None) -> tuple[datetime, datetime]:
    """From when on what is usual is told, and what is recent: whole hours."""
    recent_from = _hour(now) - HOUR
    if since is not None:
        recent_from = min(recent_from, _hour(since))
    return max(recent_from - USUAL_OVER, _hour(counted.first_seen_on)), recent_from


def _sum(hours: Mapping[datetime, int], since: datetime, until: datetime | None = None) -> int:
    return sum(n for at, n in hours.items() if at >= since and (until is None or at < until))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
