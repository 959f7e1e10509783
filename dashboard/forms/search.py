"""What each key of the search language finds; what cannot be read is said, and left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.types import Status, Trigger
from dashboard.insight.phase import PhaseKind
from dashboard.models.conditions import CONDITIONS
from dashboard.models.filters import (
    STATES,
    AnyOf,
    Choice,
    Clause,
    Contains,
    Due,
    Equal,
    InstanceFilters,
    InState,
    Not,
    Stands,
    StartsWith,
    Within,
)
from dashboard.search import values
from dashboard.search.language import Problem, Query, Term

Reader = Callable[[str, datetime], Clause]


@dataclass(frozen=True)
class Key:
    """A key as the help sheet tells it. `wants` completes "status: wants …", as one of `words`
    where it takes no others. `read` makes a clause of one value and raises ValueError where it is
    none. With `is_one` an instance has but one such value, so several terms are alternatives; of
    other keys all terms must hold."""

    wants: str
    example: str
    finds: str
    read: Reader
    is_one: bool = False
    words: Collection[str] = ()

    def wanted(self) -> str:
        """What it wants, in the reader's language."""
        return _(self.wants) % {"words": ", ".join(self.words)}


def _equal(column: str, known: Iterable[str]) -> Reader:
    """Known words in any case; unknown ones as they are, for Cloudflare may add some."""
    words = {word.lower(): word for word in known}
    return lambda value, _now: Equal(column, words.get(value.lower(), value))


def _time(column: str) -> Reader:
    def read(value: str, now: datetime) -> Clause:
        told = values.time_range(value, now)
        return Within(column, told.since, told.until)

    return read


def _due(value: str, now: datetime) -> Clause:
    told = values.time_range(value, now)
    return Due(told.since, told.until)


def _duration(value: str, _now: datetime) -> Clause:
    told = values.milliseconds(value)
    return Within("duration_ms", told.least, None if told.most is None else told.most + 1)


def _text(*places: str) -> Reader:
    return lambda value, _now: Contains(value, places)


def _state(value: str, now: datetime) -> Clause:
    name = value.lower()
    if name in CONDITIONS:
        return Stands(name, now)
    if name not in STATES:
        raise ValueError(value)
    return InState(name)


def _attempts(value: str, _now: datetime) -> Clause:
    told = values.number(value)
    return Within("attempts", told.least, None if told.most is None else told.most + 1)


def _group(value: str, _now: datetime) -> Clause:
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise ValueError(value)
    return Equal("error_group", value)


A_TIME = gettext_noop("a time such as >2h or 2026-11-20")
A_LENGTH = gettext_noop("a length such as >10m or <500ms")
WORD = Key(gettext_noop("a text"), '"connection refused"', "", _text(*Contains.ANYWHERE))
KEYS = {
    "status": Key(
        gettext_noop("a status such as errored"), "status:errored,running",
        gettext_noop("What Cloudflare says it is doing"), _equal("status", Status), is_one=True,
    ),
    "workflow": Key(
        gettext_noop("the name of a workflow"), "workflow:orders",
        gettext_noop("Its workflow; account/name where a name is in several accounts"),
        _equal("workflow", ()), is_one=True,
    ),
    "account": Key(
        gettext_noop("the name or id of an account"), "account:prod", gettext_noop("Its account"),
        _equal("account", ()), is_one=True,
    ),
    "trigger": Key(
        gettext_noop("a trigger such as cron"), "-trigger:cron", gettext_noop("Why it began"),
        _equal("trigger", Trigger), is_one=True,
    ),
    "version": Key(
        gettext_noop("the beginning of a version's id"), "version:3f2a",
        gettext_noop("The version it runs, by the id's start"),
        lambda value, _now: StartsWith("version_id", value), is_one=True,
    ),
    "is": Key(
        gettext_noop("one of %(words)s"), "is:unfinished",
        gettext_noop(
            "finished, unfinished, gone (from Cloudflare), restarted, read (its steps are held), "
            "stuck (late for its step), waiting-for-event, forgotten (paused for a day), "
            "kept (here, as evidence)"
        ),
        _state, words=(*STATES, *CONDITIONS),
    ),
    "phase": Key(
        gettext_noop("a phase such as sleeping or retrying"), "phase:retrying",
        gettext_noop("What an unfinished one was doing when it was last read"),
        _equal("phase", PhaseKind), is_one=True,
    ),
    "attempts": Key(
        gettext_noop("a number such as >3"), "attempts:>3",
        gettext_noop("Attempts of the step it is in, or failed in"), _attempts,
    ),
    "group": Key(
        gettext_noop("the number of a group of errors"), "group:12",
        gettext_noop("Failed for that cause; see Groups"), _group, is_one=True,
    ),
    "id": Key(
        gettext_noop("a part of an id"), "id:4711", gettext_noop("Any part of its id"),
        _text("instance_id"),
    ),
    "error": Key(
        gettext_noop("a part of an error"), 'error:"TypeError"',
        gettext_noop("Any part of the name and message of its error"), _text("error"),
    ),
    "step": Key(
        gettext_noop("a part of a step's name"), "step:charge-card",
        gettext_noop("Any part of a step's name"), _text("steps"),
    ),
    "created": Key(
        A_TIME, "created:2026-11-20", gettext_noop("When it was created"), _time("created_on")
    ),
    "started": Key(A_TIME, "started:>2h", gettext_noop("When it started"), _time("started_on")),
    "ended": Key(
        A_TIME, "ended:<2026-11-20T03:00", gettext_noop("When it ended"), _time("ended_on")
    ),
    "due": Key(
        gettext_noop("a time such as today or >=2026-11-20T03:00"), "due:today",
        gettext_noop("When its sleep, wait or pause before a retry is to end"), _due,
    ),
    "duration": Key(
        A_LENGTH, "duration:>10m", gettext_noop("How long it took, once it ended"), _duration
    ),
}  # fmt: skip
#: Keys whose values narrow what the indexes begin with.
CHOICES = {"status": "statuses", "workflow": "workflows", "account": "accounts", "group": "groups"}


@dataclass(frozen=True)
class Reading:
    """What a query asks for, as far as it can be read: as filters and as a query; and what not."""

    filters: InstanceFilters
    query: Query
    problems: list[Problem]


def read(query: Query, now: datetime) -> Reading:
    """Relative times are told from `now`."""
    problems: list[Problem] = []
    readable: list[Term] = []
    choices: dict[str, Choice] = {}
    clauses: list[Clause] = []
    for term in _alternatives_joined(query.terms):
        found = _clauses(term, now, problems)
        if not found:
            continue
        readable.append(replace(term, values=tuple(found)))
        if field := CHOICES.get(term.key):
            chosen = tuple(clause.value for clause in found.values() if isinstance(clause, Equal))
            choices[field] = choices.get(field, Choice()).also(chosen, term.is_excluded)
        else:
            clause = AnyOf(tuple(found.values())) if len(found) > 1 else next(iter(found.values()))
            clauses.append(Not(clause) if term.is_excluded else clause)
    told: dict[str, Any] = {**choices, "clauses": tuple(clauses)}
    filters = InstanceFilters(**told)
    return Reading(filters, Query(tuple(readable)), problems)


def _clauses(term: Term, now: datetime, problems: list[Problem]) -> dict[str, Clause]:
    """One for each value of the term that can be read."""

    def is_wrong(sentence: str) -> None:
        problems.append(Problem(sentence, term.start, term.end))

    key = KEYS.get(term.key) if term.key else WORD
    if key is None:
        is_wrong(_no_key(term))
        return {}
    if not term.values:
        is_wrong(_("%(key)s: wants %(wanted)s.") % {"key": term.key, "wanted": key.wanted()})
    found = {}
    for value in term.values:
        try:
            found[value] = key.read(value, now)
        except ValueError:
            told = {"key": term.key, "wanted": key.wanted(), "value": value[:40]}
            is_wrong(_("%(key)s: wants %(wanted)s, not “%(value)s”.") % told)
    return found


def _no_key(term: Term) -> str:
    near = get_close_matches(term.key, KEYS, n=1)
    told = {"key": term.key[:40], "keys": ", ".join(KEYS), "near": near[0] if near else ""}
    if near:
        return (
            _(
                "“%(key)s:” is none of the keys: %(keys)s. Did you mean %(near)s:? To look for the "
                "text itself put it in quotation marks."
            )
            % told
        )
    return (
        _(
            "“%(key)s:” is none of the keys: %(keys)s. To look for the text itself put it in "
            "quotation marks."
        )
        % told
    )


def _alternatives_joined(terms: Iterable[Term]) -> list[Term]:
    """Terms of a key of which an instance has but one value, as one term."""
    joined: dict[object, Term] = {}
    for place, term in enumerate(terms):
        key = KEYS.get(term.key)
        is_one = key is not None and key.is_one
        group = (term.key, term.is_excluded) if is_one else place
        before = joined.get(group)
        joined[group] = term if before is None else before.with_values(term.values)
    return list(joined.values())
