"""What a step did when: stretches of time, each of one kind, not yet drawn.

The kinds are the one table that bars, patterns and the legend come from, so they cannot differ.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.types import Attempt, ErrorDetail, InstanceDetail, Step, StepType
from dashboard.insight import retries, words
from dashboard.insight.durations import spoken
from dashboard.insight.states import StepState, state_of


class Kind(enum.Enum):
    """A kind of bar: `slug` is its class and pattern, `word` its name in the legend."""

    QUEUED = ("queued", gettext_noop("Queued"))
    DONE = ("done", gettext_noop("Done"))
    RUNNING = ("running", gettext_noop("Running"))
    FAILED = ("failed", gettext_noop("Failed attempt"))
    BACKOFF = ("backoff", gettext_noop("Back-off before a retry"))
    SLEEP = ("sleep", gettext_noop("Sleep"))
    WAIT = ("wait", gettext_noop("Wait for event"))
    PLANNED = ("planned", gettext_noop("Still to come"))
    ROLLBACK = ("rollback", gettext_noop("Rollback"))
    TERMINATION = ("termination", gettext_noop("Terminated here"))
    OTHER = ("other", gettext_noop("Of a type not known here"))

    def __init__(self, slug: str, word: str) -> None:
        self.slug = slug
        self._word = word
        #: Filled with a pattern of `instance/_patterns.html`; the others are solid.
        self.is_patterned = slug not in {"done", "failed", "termination"}
        #: Something executes; such a stretch is always drawn to scale.
        self.is_work = slug not in {"sleep", "wait", "planned", "backoff"}

    @property
    def word(self) -> str:
        return _(self._word)


@dataclass(slots=True)
class Stretch:
    """`start` to `end` of one step; `text` says what it was, `is_timeout` that a timeout ends.

    The text is written when it is asked for: of a loop of thousands only the first is. Not frozen,
    for that would triple the time to make one.
    """

    kind: Kind
    start: datetime
    end: datetime
    say: Callable[[timedelta], str] = field(compare=False)
    is_open: bool = False
    is_timeout: bool = False

    @property
    def text(self) -> str:
        return self.say(self.end - self.start)


def stretches(step: Step, detail: InstanceDetail, now: datetime) -> list[Stretch]:
    """All that is known of when this step did what, in order."""
    closes = detail.end if detail.status.is_finished and detail.end else now
    if step.type is StepType.TERMINATION:
        say = _always(_("terminated"))
        return [Stretch(Kind.TERMINATION, closes, closes, say)] if detail.end else []
    if step.attempts:
        return _attempts(step, detail, closes, now)
    if step.start is None:
        return []
    if step.type in {StepType.SLEEP, StepType.WAIT_FOR_EVENT}:
        return _idle(step, detail, closes, now)
    state = state_of(step, detail)
    end = step.end or (closes if step.is_unfinished else step.start)
    return [_stretch(_kind(step, step.success), step.start, end, state)]


def _idle(step: Step, detail: InstanceDetail, closes: datetime, now: datetime) -> list[Stretch]:
    """A sleep or a wait: what has passed of it, and what is still to come."""
    kind = Kind.SLEEP if step.type is StepType.SLEEP else Kind.WAIT
    start, state = step.start or closes, state_of(step, detail)
    word = _("slept %(time)s") if kind is Kind.SLEEP else _("waited %(time)s")
    if state is StepState.TIMED_OUT:
        end = step.end or start
        return [
            Stretch(
                kind,
                start,
                max(start, end),
                _lasting(_("timed out after %(time)s")),
                is_timeout=True,
            )
        ]
    if not step.is_unfinished:
        end = max(start, step.end or start)
        if state is not StepState.FAILED:
            return [Stretch(kind, start, end, _lasting(word))]
        say = _lasting(_("failed after %(time)s"), step.error)
        return [Stretch(kind, start, end, say, is_timeout=True)]
    passed = max(start, closes if step.end is None or not state.is_open else min(closes, step.end))
    if not state.is_open:
        return [Stretch(kind, start, passed, _lasting(_after(state)))]
    found = [Stretch(kind, start, passed, _lasting(_for(state)), is_open=True)]
    if step.end and step.end > passed:
        known = {"instant": words.instant(step.end), "away": words.away(step.end, now)}
        until = _always(_("until %(instant)s, %(away)s") % known)
        found.append(Stretch(Kind.PLANNED, passed, step.end, until, is_timeout=kind is Kind.WAIT))
    return found


def _attempts(step: Step, detail: InstanceDetail, closes: datetime, now: datetime) -> list[Stretch]:
    """Each attempt, the back-offs between them, and what is to come of the last one."""
    found: list[Stretch] = []
    is_live = step.is_unfinished and state_of(step, detail).is_open
    count = len(step.attempts)
    for number, attempt in enumerate(step.attempts, 1):
        following = step.attempts[number].start if number < count else step.end
        start = attempt.start or (found[-1].end if found else step.start)
        if start is None:
            continue
        is_open = attempt.success is None and attempt.end is None and number == count
        end = attempt.end or (closes if is_open and step.is_unfinished else following) or start
        if found and start > found[-1].end:
            pause = partial(_before_attempt, number)
            found.append(Stretch(Kind.BACKOFF, found[-1].end, start, pause))
        say = partial(_attempt_text, attempt, number if count > 1 else 0, is_open, is_live)
        kind = _kind(step, attempt.success)
        is_running = is_open and is_live
        found.append(Stretch(kind, start, max(start, end), say, is_open=is_running))
    if found and step.is_unfinished and step.attempts[-1].success is False:
        found += _to_come(step, found[-1].end, closes, now, is_open=is_live)
    return found


def _before_attempt(number: int, length: timedelta) -> str:
    return _("back-off of %(time)s before attempt %(number)s") % {
        "time": spoken(length),
        "number": number,
    }


def _attempt_text(
    attempt: Attempt, number: int, is_open: bool, is_live: bool, length: timedelta
) -> str:
    """`number` is 0 where there is only one."""
    text = _attempt_word(attempt.success, is_open, is_live) % {"time": spoken(length)}
    if number:
        text = _("attempt %(number)s, %(what)s") % {"number": number, "what": text}
    return f"{text}: {words.error_line(attempt.error)}" if attempt.error else text


def _attempt_word(success: bool | None, is_open: bool, is_live: bool) -> str:
    if success is None and not is_open:
        return _("ended after %(time)s")
    if success is None:
        return _("running for %(time)s") if is_live else _("cut off after %(time)s")
    return _("done after %(time)s") if success else _("failed after %(time)s")


def _to_come(
    step: Step, failed_on: datetime, closes: datetime, now: datetime, *, is_open: bool
) -> list[Stretch]:
    """The back-off that goes on, and the rest of it by our calculation."""
    passed = max(failed_on, closes)
    found = [
        Stretch(
            Kind.BACKOFF, failed_on, passed, _lasting(_("back-off for %(time)s")), is_open=is_open
        )
    ]
    next_on = retries.next_attempt_on(step)
    if is_open and next_on and next_on > passed:
        known = {"instant": words.instant(next_on), "away": words.away(next_on, now)}
        text = _("next attempt at about %(instant)s, %(away)s") % known
        found.append(Stretch(Kind.PLANNED, passed, next_on, _always(text)))
    return found


def _stretch(kind: Kind, start: datetime, end: datetime, state: StepState) -> Stretch:
    say = _always(state.word.lower())
    if end > start:
        say = _lasting(_for(state) if state.is_open else _after(state))
    return Stretch(kind, start, max(start, end), say, is_open=state.is_open)


def _for(state: StepState) -> str:
    return f"{state.word.lower()} {_('for %(time)s')}"


def _after(state: StepState) -> str:
    return f"{state.word.lower()} {_('after %(time)s')}"


def _always(text: str) -> Callable[[timedelta], str]:
    return lambda _: text


def _lasting(text: str, error: ErrorDetail | None = None) -> Callable[[timedelta], str]:
    """The text with how long it lasted, and what went wrong."""
    end = f": {words.error_line(error)}" if error else ""
    return lambda length: text % {"time": spoken(length)} + end


def _kind(step: Step, success: bool | None) -> Kind:
    if success is False:
        return Kind.FAILED
    if step.type is StepType.ROLLBACK:
        return Kind.ROLLBACK
    if success is None:
        return Kind.RUNNING if step.type.is_known else Kind.OTHER
    return Kind.DONE if step.type.is_known else Kind.OTHER
