"""Until when an instance should have gone on from where it stands, and why it is late, in words.

Each phase is held to what bounds it. A sleep, a wait and a pause before a retry end by themselves:
they are late some minutes after that, never before. What is at work is held to what is usual for
that step, or to the step's own timeout where too few are known; a queued one to what is usual for
its workflow. A paused one is late for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.utils.translation import gettext as _

from dashboard.insight import words
from dashboard.insight.durations import short
from dashboard.insight.phase import PhaseKind
from dashboard.insight.standing import Standing

#: What is due by the clock may come a little late without anything being wrong.
PUNCTUAL = timedelta(minutes=5)
#: An attempt may take half as long again as 99 of 100 do, and always so much longer.
LEAST_GRACE = timedelta(minutes=1)
QUEUE_GRACE = timedelta(minutes=5)
#: The workflow's own code between two steps takes moments; it may have to be loaded again.
BETWEEN_STEPS = timedelta(minutes=15)
#: Fewer samples than this say nothing of what 99 of 100 do.
LEAST_SAMPLES = 30


class Normal(Protocol):
    """How long a step usually takes, in ms, of `n` that succeeded."""

    @property
    def n(self) -> int: ...
    @property
    def p99(self) -> int: ...
    @property
    def version_id(self) -> str: ...


class Row(Protocol):
    """What a row keeps of where its instance stands: a whole one, or one of a list."""

    @property
    def workflow_id(self) -> int: ...
    @property
    def version_id(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def current_step(self) -> str: ...
    @property
    def due_on(self) -> datetime | None: ...
    @property
    def at_work_on(self) -> datetime | None: ...
    @property
    def expected_by(self) -> datetime | None: ...
    @property
    def read_at(self) -> datetime | None: ...
    @property
    def expired_at(self) -> datetime | None: ...


def is_known_enough(normal: Normal | None) -> bool:
    """Whether it is of enough steps to hold another one to it."""
    return normal is not None and normal.n >= LEAST_SAMPLES


def expected_by(told: Standing, normal: Normal | None) -> datetime | None:
    """The moment after which the instance is late; None where nobody can tell, or nothing is to
    come. `normal`: of its step, or of the queue, None where it is not known."""
    if told.phase in {PhaseKind.SLEEPING, PhaseKind.WAITING_FOR_EVENT}:
        return _after(told.due_on, PUNCTUAL)
    if told.phase == PhaseKind.RETRYING:
        return _after(told.due_on, max(PUNCTUAL, allowed(normal, told.timeout) or PUNCTUAL))
    if told.phase == PhaseKind.QUEUED:
        return _after(told.at_work_on, _allowed_in_queue(normal))
    if told.phase == PhaseKind.RUNNING and not told.step:
        return _after(told.at_work_on, BETWEEN_STEPS)
    return _after(told.at_work_on, allowed(normal, told.timeout))


def allowed(normal: Normal | None, timeout: timedelta | None) -> timedelta | None:
    """How long an attempt of a step may take before it is late."""
    if normal is not None and is_known_enough(normal):
        usual = timedelta(milliseconds=normal.p99)
        return usual + max(usual / 2, LEAST_GRACE)
    return None if timeout is None else timeout + LEAST_GRACE


def again(row: Row, normal: Normal | None) -> datetime | None:
    """The moment for a row that is at work, where what is usual has changed since it was read."""
    if row.at_work_on is None or not is_known_enough(normal):
        return row.expected_by
    is_queued = row.phase == PhaseKind.QUEUED
    return _after(row.at_work_on, _allowed_in_queue(normal) if is_queued else allowed(normal, None))


def _allowed_in_queue(normal: Normal | None) -> timedelta | None:
    if normal is None or not is_known_enough(normal):
        return None
    usual = timedelta(milliseconds=normal.p99)
    return usual + max(usual / 2, QUEUE_GRACE)


def _after(moment: datetime | None, delay: timedelta | None) -> datetime | None:
    try:
        return None if moment is None or delay is None else moment + delay
    except OverflowError:
        return None


def is_stuck(row: Row) -> bool:
    """Whether Cloudflare was asked after the instance was due to go on, and it had not."""
    return bool(
        row.expected_by and row.read_at and row.expected_by < row.read_at and not row.expired_at
    )


@dataclass(frozen=True, slots=True)
class Why:
    """Why an instance is late: in a sentence, and `brief`, beside the name of its step."""

    text: str
    brief: str


def overdue(row: Row, normal: Normal | None, now: datetime) -> Why | None:
    """Why the instance of this row is late; None when it is not, or nobody knows."""
    if not is_stuck(row) or row.expected_by is None:
        return None
    step = f"“{words.isolated(row.current_step)}”"
    due = row.due_on and short(now - row.due_on)
    if row.phase == PhaseKind.SLEEPING:
        text = _("Sleeping in %(step)s; it was due to wake %(due)s ago")
        return Why(text % {"step": step, "due": due}, _("due %(due)s ago") % {"due": due})
    if row.phase == PhaseKind.WAITING_FOR_EVENT:
        text = _("Waiting for an event in %(step)s; its timeout passed %(due)s ago")
        brief = _("timeout passed %(due)s ago")
        return Why(text % {"step": step, "due": due}, brief % {"due": due})
    if row.phase == PhaseKind.RETRYING:
        text = _("Retrying %(step)s; the next attempt was due %(due)s ago")
        return Why(text % {"step": step, "due": due}, _("due %(due)s ago") % {"due": due})
    return _at_work(row, step, normal, now)


def _at_work(row: Row, step: str, normal: Normal | None, now: datetime) -> Why | None:
    if row.at_work_on is None or row.expected_by is None:
        return None
    lasts = short(now - row.at_work_on)
    if row.phase == PhaseKind.RUNNING and not row.current_step:
        text, brief = (
            _("Running between two steps for %(time)s"),
            _("between two steps for %(time)s"),
        )
        return Why(text % {"time": lasts}, brief % {"time": lasts})
    head = {
        PhaseKind.QUEUED.value: _("Queued for %(time)s"),
        PhaseKind.ROLLING_BACK.value: _("Rolling back %(step)s for %(time)s"),
    }.get(row.phase, _("Running %(step)s for %(time)s")) % {"step": step, "time": lasts}
    if normal is not None and is_known_enough(normal) and row.phase != PhaseKind.ROLLING_BACK:
        p99 = short(timedelta(milliseconds=normal.p99))
        known = {"time": lasts, "number": f"{normal.n:,}", "p99": p99}
        text = _usual(is_queued=row.phase == PhaseKind.QUEUED, is_own=bool(normal.version_id))
        brief = _("%(time)s; 99 %% of %(number)s < %(p99)s")
        return Why(f"{head}; {text % known}", brief % known)
    timeout = short(row.expected_by - row.at_work_on - LEAST_GRACE)
    text, brief = _("%(head)s; its timeout is %(timeout)s"), _("%(time)s; timeout %(timeout)s")
    known = {"head": head, "time": lasts, "timeout": timeout}
    return Why(text % known, brief % known)


def _usual(*, is_queued: bool, is_own: bool) -> str:
    if is_queued and is_own:
        return _("99 %% of %(number)s waited less than %(p99)s in this version")
    if is_queued:
        return _("99 %% of %(number)s waited less than %(p99)s in all versions")
    if is_own:
        return _("99 %% of %(number)s took less than %(p99)s in this version")
    return _("99 %% of %(number)s took less than %(p99)s in all versions")
