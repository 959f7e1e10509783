"""Pure: what is broken, by its probable causes, and the sentence that says so.

Groups of failures stand for one probable cause together when they are new, in one step of one
workflow, and began within TOGETHER of one another: a provider that answers slowly makes some
instances fail by its error and others by the step's timeout. What was known before is never joined:
an old failure goes on beside a new one. Nor is what may be older than it seems, because failures
from before it are still to be read: that several were first read together says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.insight.group_state import GroupState
from dashboard.insight.words import isolated

TOGETHER = timedelta(minutes=15)
#: A headline names so many of each kind.
NAMED = 5


@dataclass(frozen=True)
class Place:
    """A workflow, or a step of it; `step` is "" where none is known. `key`: the workflow's."""

    key: int
    workflow: str
    step: str
    href: str

    @property
    def text(self) -> str:
        """ "charge card of order-pipeline"."""
        workflow = isolated(self.workflow)
        if not self.step:
            return workflow
        return _("%(step)s of %(workflow)s") % {"step": isolated(self.step), "workflow": workflow}


@dataclass(frozen=True)
class Failing:
    """A group of failures. `count`: of the instances that failed so since `began`, or since the
    moment that is asked about where it is older. `may_be_older`: failures of its workflow from
    before `began` are still to be read."""

    place: Place
    error: str
    title: str
    href: str
    state: GroupState
    began: datetime
    count: int
    may_be_older: bool = False


@dataclass(frozen=True)
class Cause:
    """Groups that probably have one cause, the one with the most failures first."""

    parts: tuple[Failing, ...]

    @property
    def place(self) -> Place:
        return self.parts[0].place

    @property
    def state(self) -> GroupState:
        """The most urgent one."""
        return min((part.state for part in self.parts), key=lambda state: state.rank)

    @property
    def began(self) -> datetime:
        return min(part.began for part in self.parts)

    @property
    def is_new(self) -> bool:
        return self.state is GroupState.NEW

    @property
    def may_be_older(self) -> bool:
        return any(part.may_be_older for part in self.parts)

    @property
    def apart(self) -> timedelta:
        """How long after the first of them the last one began."""
        return max(part.began for part in self.parts) - self.began

    @property
    def count(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def text(self) -> str:
        """ "TimeoutError and PaymentError in charge card of order-pipeline (37 instances)"."""
        errors = listed(dict.fromkeys(isolated(part.error) for part in self.parts))
        return _("%(errors)s in %(place)s (%(instances)s)") % {
            "errors": errors,
            "place": self.place.text,
            "instances": instances(self.count),
        }


@dataclass(frozen=True)
class Hanging:
    """Instances that are stuck in a step; `new`: how many of them since the moment that is asked
    about, `since`: when the first of them should have gone on."""

    place: Place
    href: str
    number: int
    new: int
    since: datetime

    @property
    def before(self) -> int:
        """How many were stuck before that moment."""
        return self.number - self.new

    @property
    def text(self) -> str:
        """ "14 stuck in create workspace of customer-onboarding"."""
        return _("%(number)s stuck in %(place)s") % {
            "number": f"{self.number:,}",
            "place": self.place.text,
        }


@dataclass(frozen=True)
class Appeared:
    """A version that was deployed; `worse`: in what it does worse than the one before, in words,
    None where they were not compared."""

    workflow: str
    version_id: str
    href: str
    at: datetime
    worse: tuple[str, ...] | None


@dataclass(frozen=True)
class Told:
    """What a headline tells of: all of each kind, worst first. `new` began since the moment,
    `grown` were there before and fail far more often since, `going_on` began before and are broken
    still."""

    new: Sequence[Cause] = ()
    grown: Sequence[Cause] = ()
    going_on: Sequence[Cause] = ()
    stuck: Sequence[Hanging] = ()
    versions: Sequence[Appeared] = ()


def causes(failing: Iterable[Failing]) -> list[Cause]:
    """The probable causes of these groups, the one with the most failures first."""
    found: list[list[Failing]] = []
    for one in sorted(failing, key=lambda one: one.began):
        joined = next((parts for parts in found if _belongs(one, parts)), None)
        if joined is None:
            found.append([one])
        else:
            joined.append(one)
    told = [Cause(tuple(sorted(parts, key=lambda part: -part.count))) for parts in found]
    return sorted(told, key=lambda cause: (-cause.count, cause.began))


def _belongs(one: Failing, parts: list[Failing]) -> bool:
    first = parts[0]
    is_new = one.state is first.state is GroupState.NEW
    is_sure = not one.may_be_older and not first.may_be_older
    is_here = bool(one.place.step) and one.place == first.place
    return is_new and is_sure and is_here and one.began - first.began <= TOGETHER


def headline(told: Told, since: datetime, now: datetime) -> str:
    """One sentence that names what broke since that moment, in the order in which to look."""
    at = clock(since, now)
    sure = [cause for cause in told.new if not cause.may_be_older]
    unsure = [cause for cause in told.new if cause.may_be_older]
    parts = []
    if sure:
        text = ngettext(
            "%(number)s new cause since %(at)s", "%(number)s new causes since %(at)s", len(sure)
        )
        parts.append(_named(sure, text, at))
    if unsure:
        text = ngettext(
            "%(number)s cause first seen since %(at)s, maybe older",
            "%(number)s causes first seen since %(at)s, maybe older",
            len(unsure),
        )
        parts.append(_named(unsure, text, at))
    if told.grown:
        text = ngettext(
            "%(number)s known cause far more often since %(at)s",
            "%(number)s known causes far more often since %(at)s",
            len(told.grown),
        )
        parts.append(_named(told.grown, text, at))
    if not parts:
        parts.append(_("Nothing new fails since %(at)s") % {"at": at})
    if told.going_on:
        text = ngettext(
            "%(number)s cause from before, still failing",
            "%(number)s causes from before, still failing",
            len(told.going_on),
        )
        parts.append(_named(told.going_on, text, at))
    parts += _first(one.text for one in told.stuck)
    parts += _first(_deployed(one, now) for one in told.versions)
    return "; ".join(parts) + "."


def _named(found: Sequence[Cause], text: str, at: str) -> str:
    """`text` says how many, and since when; what they are follows it."""
    number = text % {"number": len(found), "at": at}
    return f"{number}: {', '.join(_first(cause.text for cause in found))}"


def _deployed(version: Appeared, now: datetime) -> str:
    text = _("a new version of %(workflow)s since %(at)s")
    if version.worse:
        text = _("a new version of %(workflow)s since %(at)s, which does worse than the one before")
    return text % {"workflow": isolated(version.workflow), "at": clock(version.at, now)}


def _first(texts: Iterable[str]) -> list[str]:
    texts = list(texts)
    more = len(texts) - NAMED
    return texts[:NAMED] + ([_("and %(number)s more") % {"number": more}] if more > 0 else [])


def listed(texts: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *most, last = texts
    if not most:
        return last
    return _("%(most)s and %(last)s") % {"most": ", ".join(most), "last": last}


def instances(number: int) -> str:
    text = ngettext("%(number)s instance", "%(number)s instances", number)
    return text % {"number": f"{number:,}"}


def clock(moment: datetime, now: datetime) -> str:
    """ "03:12 UTC", with its day where that is not today's."""
    moment = moment.astimezone(UTC)
    if moment.date() == now.astimezone(UTC).date():
        return f"{moment:%H:%M} UTC"
    return f"{dateformat.format(moment, 'j M H:i')} UTC"
