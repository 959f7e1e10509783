"""What an instance is doing at this moment, in one sentence.

Cloudflare's `running` and `waiting` mix working, sleeping, waiting for an event and the pause
before a retry (the local engine says `running` for all of them), so the phase follows from the
steps that are open. Of several at once the most active one names it; the others are listed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import InstanceDetail, Status, Step
from dashboard.insight import retries, words
from dashboard.insight.durations import spoken
from dashboard.insight.states import StepState, failing_step, state_of


class PhaseKind(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SLEEPING = "sleeping"
    RETRYING = "retrying"
    WAITING_FOR_EVENT = "waiting-for-event"
    WAITING = "waiting"
    PAUSING = "pausing"
    PAUSED = "paused"
    ROLLING_BACK = "rolling-back"
    COMPLETE = "complete"
    ERRORED = "errored"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"

    @property
    def icon(self) -> str:
        return _ICONS.get(self, self.value)


_ICONS = {
    PhaseKind.WAITING_FOR_EVENT: "event",
    PhaseKind.PAUSING: "waitingForPause",
    PhaseKind.ROLLING_BACK: "rollingBack",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """`text` is the sentence: `head`, and a `tail` that tells how long since `since`, or until
    `until`, which a page lets tick. These bound the phase where that is known; `is_estimate`:
    `until` is our calculation, not Cloudflare's word. `others`: what else is open, as far as it is
    listed; `others_left` more are.
    """

    kind: PhaseKind
    head: str
    step_index: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    is_estimate: bool = False
    others: tuple[Phase, ...] = ()
    others_left: int = 0
    tail: str = ""

    @property
    def text(self) -> str:
        return self.head + self.tail

    @property
    def counts_up(self) -> bool:
        return bool(self.tail) and self.until is None


#: Most active first: what decides when several steps are open at once.
_ACTIVITY = (
    StepState.ROLLING_BACK,
    StepState.RUNNING,
    StepState.RETRYING,
    StepState.WAITING,
    StepState.SLEEPING,
)
_OTHERS_LISTED = 5


def phase(detail: InstanceDetail, now: datetime) -> Phase:
    """The phase of this instance at `now`."""
    if detail.status is Status.QUEUED:
        return _queued(detail, now)
    if detail.status.is_finished:
        return _finished(detail)
    return _unfinished(detail, _open_phases(detail, now), now)


def _unfinished(detail: InstanceDetail, opened: list[Phase], now: datetime) -> Phase:
    match detail.status:
        case Status.PAUSED:
            return _held(detail, opened, PhaseKind.PAUSED, _("Paused"))
        case Status.WAITING_FOR_PAUSE:
            return _held(detail, opened, PhaseKind.PAUSING, _("Pausing"))
        case Status.ROLLING_BACK:
            return _rolling_back(opened)
        case Status.RUNNING | Status.WAITING:
            return opened[0] if opened else _nothing_open(detail, now)
    return _unknown(detail, opened)


def _queued(detail: InstanceDetail, now: datetime) -> Phase:
    text = _("Queued for a free slot")
    if detail.queued:
        text = _("Queued for a free slot since %(instant)s") % {
            "instant": words.instant(detail.queued)
        }
    tail = _for(detail.queued, now)
    return Phase(PhaseKind.QUEUED, text, since=detail.queued, tail=tail)


def _for(since: datetime | None, now: datetime) -> str:
    return _(", for %(time)s") % {"time": spoken(now - since)} if since else ""


def _away(until: datetime | None, now: datetime) -> str:
    return f" ({words.away(until, now)})" if until else ""


def _finished(detail: InstanceDetail) -> Phase:
    kind = PhaseKind(detail.status.value)
    text = {"complete": _("Complete"), "errored": _("Errored"), "terminated": _("Terminated")}[
        kind.value
    ]
    if detail.start and detail.end:
        text = _("%(ended)s after %(time)s") % {
            "ended": text,
            "time": spoken(detail.end - detail.start),
        }
    culprit = failing_step(detail)
    if culprit:
        text = _("%(ended)s in %(step)s") % {"ended": text, "step": words.quoted(culprit)}
        if len(culprit.attempts) > 1:
            text += _(", after %(number)s attempts") % {"number": len(culprit.attempts)}
    if detail.error and not any(step.success is False for step in detail.steps):
        text += _(", outside any step")
    stopped = [s for s in detail.steps if state_of(s, detail) is StepState.STOPPED]
    if stopped and not culprit and not detail.error:
        step = words.quoted(stopped[-1])
        text = _("%(ended)s during %(step)s") % {"ended": text, "step": step}
    if detail.rollback:
        outcome = words.cut(detail.rollback.outcome, words.NAME_LIMIT)
        text += {"complete": _("; rolled back"), "failed": _("; the rollback failed")}.get(
            detail.rollback.outcome, _("; rollback: %(outcome)s") % {"outcome": outcome}
        )
    return Phase(
        kind,
        text,
        step_index=culprit.index if culprit else None,
        since=detail.end,
    )


def _open_phases(detail: InstanceDetail, now: datetime) -> list[Phase]:
    """One phase for each open step, the most active first; the first one lists the others."""
    found = [(state_of(step, detail), step) for step in detail.steps]
    found = [(state, step) for state, step in found if state.is_open]
    found.sort(key=lambda pair: (_ACTIVITY.index(pair[0]), pair[1].index))
    phases = [_open_phase(state, step, now) for state, step in found]
    if len(phases) < 2:
        return phases
    others = tuple(phases[1 : 1 + _OTHERS_LISTED])
    left = len(phases) - 1 - len(others)
    return [replace(phases[0], others=others, others_left=left), *phases[1:]]


def _open_phase(state: StepState, step: Step, now: datetime) -> Phase:
    match state:
        case StepState.SLEEPING:
            return _sleeping(step, now)
        case StepState.WAITING:
            return _waiting_for_event(step, now)
        case StepState.RETRYING:
            return _retrying(step, now)
    return _running(step, now)


def _running(step: Step, now: datetime) -> Phase:
    since = (step.attempts[-1].start if step.attempts else None) or step.start
    text = _("Running %(step)s")
    if state_is_rollback := step.type.value == "rollback":
        text = _("Rolling back %(step)s")
    text %= {"step": words.quoted(step)}
    if len(step.attempts) > 1:
        text += _(", attempt %(number)s") % {"number": _of(step)}
    kind = PhaseKind.ROLLING_BACK if state_is_rollback else PhaseKind.RUNNING
    return Phase(kind, text, step_index=step.index, since=since, tail=_for(since, now))


def _of(step: Step) -> str:
    allowed = retries.attempts_allowed(step.config)
    made = max(1, len(step.attempts))
    if allowed is None:
        return f"{made}"
    return _("%(made)s of %(allowed)s") % {"made": made, "allowed": allowed}


def _sleeping(step: Step, now: datetime) -> Phase:
    text, moment = _("Sleeping in %(step)s"), step.end or step.start
    if step.end and step.end >= now:
        text = _("Sleeping in %(step)s until %(instant)s")
    elif step.end:
        text = _("Sleeping in %(step)s; it was due to wake at %(instant)s")
    elif step.start:
        text = _("Sleeping in %(step)s since %(instant)s; this engine does not say until when")
    text %= {"step": words.quoted(step), "instant": words.instant(moment) if moment else ""}
    return Phase(
        PhaseKind.SLEEPING,
        text,
        step_index=step.index,
        since=step.start,
        until=step.end,
        tail=_away(step.end, now),
    )


def _waiting_for_event(step: Step, now: datetime) -> Phase:
    event = _("event “%(type)s”") % {"type": step.event_type} if step.event_type else _("an event")
    text, moment = _("Waiting for %(event)s in %(step)s"), step.end or step.start
    if step.end and step.end >= now:
        text = _("Waiting for %(event)s in %(step)s, times out at %(instant)s")
    elif step.end:
        text = _("Waiting for %(event)s in %(step)s, was due to time out at %(instant)s")
    elif step.start:
        text = _("Waiting for %(event)s in %(step)s since %(instant)s")
    text %= {
        "event": event,
        "step": words.quoted(step),
        "instant": words.instant(moment) if moment else "",
    }
    return Phase(
        PhaseKind.WAITING_FOR_EVENT,
        text,
        step_index=step.index,
        since=step.start,
        until=step.end,
        tail=_away(step.end, now),
    )


def _retrying(step: Step, now: datetime) -> Phase:
    next_on = retries.next_attempt_on(step)
    allowed = retries.attempts_allowed(step.config)
    if next_on and next_on >= now - timedelta(seconds=1):
        text = _("Retrying %(step)s: attempt %(number)s failed, next at about %(instant)s")
    elif next_on:
        text = _("Retrying %(step)s: attempt %(number)s failed, next was due at about %(instant)s")
    elif allowed is not None and len(step.attempts) >= allowed:
        text = _("Retrying %(step)s: attempt %(number)s failed; it was the last one")
    else:
        text = _(
            "Retrying %(step)s: attempt %(number)s failed; when the next one comes is not known"
        )
    text %= {
        "step": words.quoted(step),
        "number": _of(step),
        "instant": words.instant(next_on) if next_on else "",
    }
    return Phase(
        PhaseKind.RETRYING,
        text,
        step_index=step.index,
        since=step.attempts[-1].end,
        until=next_on,
        is_estimate=next_on is not None,
        tail=_away(next_on, now),
    )


def _held(detail: InstanceDetail, opened: list[Phase], kind: PhaseKind, word: str) -> Phase:
    """Paused, or about to be: said first, then what it holds."""
    if not opened:
        text = _("%(paused)s between two steps") % {"paused": word} if detail.steps else word
        return Phase(kind, text)
    step = detail.steps[opened[0].step_index or 0]
    if kind is PhaseKind.PAUSING:
        text = _("Pausing: waits for %(step)s to finish")
    else:
        text = {
            PhaseKind.SLEEPING: _("Paused while sleeping in %(step)s; its clock stands still"),
            PhaseKind.WAITING_FOR_EVENT: _(
                "Paused while waiting for an event in %(step)s; its clock stands still"
            ),
            PhaseKind.RETRYING: _("Paused before a retry of %(step)s; its clock stands still"),
        }.get(opened[0].kind, _("Paused in %(step)s; its clock stands still"))
    text %= {"step": words.quoted(step)}
    return Phase(kind, text, step_index=step.index, since=opened[0].since)


def _rolling_back(opened: list[Phase]) -> Phase:
    if not opened:
        return Phase(PhaseKind.ROLLING_BACK, _("Rolling back"))
    first = opened[0]
    head = first.head
    if first.kind is not PhaseKind.ROLLING_BACK:
        head = _("Rolling back. %(what)s") % {"what": head}
    return replace(first, kind=PhaseKind.ROLLING_BACK, head=head)


def _nothing_open(detail: InstanceDetail, now: datetime) -> Phase:
    """No step is open: the workflow's own code runs between two, or nobody says what it does."""
    ends = [step.end for step in detail.steps if step.end]
    since = max(ends, default=detail.start)
    if detail.status is Status.WAITING:
        text = _("Waiting; Cloudflare does not say for what")
        return Phase(PhaseKind.WAITING, text, since=since)
    if not detail.steps:
        return Phase(PhaseKind.RUNNING, _("Running; no step has begun yet"), since=detail.start)
    last = detail.steps[-1]
    text = _("Running between two steps")
    if last.success is False:
        # The local engine rolls back in silence: status `running`, and no step of its own.
        text = _("Running after %(step)s failed") % {"step": words.quoted(last)}
    return Phase(PhaseKind.RUNNING, text, since=since, tail=_for(since, now))


def _unknown(detail: InstanceDetail, opened: list[Phase]) -> Phase:
    if detail.status is Status.UNKNOWN:
        text = _("Cloudflare did not say what this instance is doing")
    else:
        text = _("Cloudflare says “%(status)s”, a status that this dashboard does not know") % {
            "status": words.cut(detail.status, words.NAME_LIMIT)
        }
    if opened:
        return replace(opened[0], kind=PhaseKind.UNKNOWN, head=f"{text}. {opened[0].head}")
    return Phase(PhaseKind.UNKNOWN, text)
