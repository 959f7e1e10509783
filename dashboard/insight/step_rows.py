"""The table of steps: one row per entry of the log, with its attempts, configuration and output."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from dashboard.cloudflare.types import (
    ErrorDetail,
    InstanceDetail,
    Status,
    Step,
    StepConfig,
    StepType,
    base_name,
)
from dashboard.insight import restart, retries, words
from dashboard.insight.durations import duration, spoken
from dashboard.insight.payload import Payload, payload, preview
from dashboard.insight.states import StepState, state_of
from dashboard.insight.view import View

#: What the table shows of an output; the whole is one click away.
OUTPUT_LIMIT = 4_000
ERROR_LIMIT = 20_000
#: Of one among many attempts.
ATTEMPT_ERROR_LIMIT = 2_000
#: The last ones are shown; each, where an address leads to the step.
MOST_ATTEMPTS = 50
#: What Cloudflare says of a delay that the workflow's own code computes.
DYNAMIC = "[dynamic]"


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try. `pause`: the back-off before it. `length` is "" when an end is not known;
    `ticks_since` is set while it grows."""

    number: int
    word: str
    slug: str
    start: datetime | None
    length: str
    pause: str
    error: Payload | None
    is_over: bool
    ticks_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A word and its value, for a list of facts. `until`: a moment that a page counts down to."""

    word: str
    value: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step, in words. `ticks_since` is set while its duration grows; `summary`: its error, or
    the beginning of its output. `raw`: what was sent, for a type that we cannot explain. `href` is
    its permalink; `is_wanted`: the address is that permalink.
    """

    index: int
    name: str
    shown_name: str
    type: StepType
    type_word: str
    state: StepState
    summary: str
    facts_line: str
    start: datetime | None
    started_after: str
    length: str
    ticks_since: datetime | None
    attempts: tuple[AttemptRow, ...]
    attempts_left_out: int
    attempts_word: str
    facts: tuple[Fact, ...]
    error: ErrorDetail | None
    error_text: Payload | None
    output: Payload | None
    raw: Payload | None
    href: str
    is_wanted: bool = False
    is_restartable: bool = False

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def place(self) -> str:
        """Its index as text, which addresses are made of."""
        return str(self.index)

    @property
    def base_name(self) -> str:
        """The author's name of it, which marks are set on."""
        return base_name(self.name)

    @property
    def can_be_marked(self) -> bool:
        """A mark is set by name, and a name of megabytes makes no address."""
        return self.is_restartable and self._is_asked_for

    @property
    def output_query(self) -> str:
        """What names its output in an address of the step-output page."""
        return "&" + urlencode({"type": self.type.value, "name": self.name[: words.NAME_LIMIT]})

    @property
    def can_load_attempts(self) -> bool:
        return len(self.attempts) > 1 and self._is_asked_for and self.type is StepType.STEP

    @property
    def _is_asked_for(self) -> bool:
        """Whether Cloudflare's route can name it."""
        return 0 < len(self.name) <= words.NAME_LIMIT

    @property
    def can_load_output(self) -> bool:
        """Cloudflare gives whole outputs of steps and received events, and of nothing else."""
        return (
            self._is_asked_for
            and self.output is not None
            and not self.output.is_redacted
            and self.type in {StepType.STEP, StepType.WAIT_FOR_EVENT}
        )


def step_row(step: Step, detail: InstanceDetail, now: datetime, view: View) -> StepRow:
    """The row of this step at `now`, looked at as `view` says."""
    state, is_wanted = state_of(step, detail), view.step == step.index
    error = step.error or _last_error(step, state)
    shown_attempts = len(step.attempts) if is_wanted else MOST_ATTEMPTS
    output = None
    if step.has_output:
        output = payload(step.output, limit=OUTPUT_LIMIT, is_truncated=step.is_output_truncated)
    begun = detail.start or detail.queued
    facts = _facts(step, state)
    return StepRow(
        index=step.index,
        name=step.name,
        shown_name=words.cut(step.name, words.NAME_LIMIT)
        or f"({words.type_word(step.type).lower()})",
        type=step.type,
        type_word=words.type_word(step.type),
        state=state,
        summary=words.error_line(error) or (preview(step.output) if output else ""),
        facts_line=" · ".join(f"{fact.word}: {fact.value}" for fact in facts),
        start=step.start,
        started_after=f"+{spoken(step.start - begun)}" if step.start and begun else "",
        length=step_length(step, detail, now),
        ticks_since=ticks_since(step, detail),
        attempts=_attempts(step, state, now)[-shown_attempts:],
        attempts_left_out=max(0, len(step.attempts) - shown_attempts),
        attempts_word=_attempts_word(step),
        facts=facts,
        error=error,
        error_text=None if step.attempts else error_text(error),
        output=output,
        raw=None if step.type.is_known else payload(step.raw, limit=OUTPUT_LIMIT),
        href=view.to_step(step, detail),
        is_wanted=is_wanted,
        is_restartable=step.type in restart.TYPES and bool(step.base_name),
    )


def error_text(error: ErrorDetail | None, limit: int = ERROR_LIMIT) -> Payload | None:
    """What something failed with, as far as a page shows it."""
    return payload(words.error_text(error), limit=limit) if error else None


def _last_error(step: Step, state: StepState) -> ErrorDetail | None:
    failed = state.is_problem or state is StepState.STOPPED
    return step.attempts[-1].error if failed and step.attempts else None


def ticks_since(step: Step, detail: InstanceDetail) -> datetime | None:
    """Since when its duration grows; None once it is done, and while a pause holds it."""
    is_growing = state_of(step, detail).is_open and detail.status is not Status.PAUSED
    return step.start if is_growing else None


def step_length(step: Step, detail: InstanceDetail, now: datetime) -> str:
    """How long it took, or has taken so far; "" when nobody can tell."""
    state = state_of(step, detail)
    if step.start is None:
        return ""
    if state.is_open:
        return spoken(now - step.start)
    end = step.end if state is not StepState.STOPPED else detail.end
    return spoken(end - step.start) if end else ""


def _attempts_word(step: Step) -> str:
    """`3 of 6`; empty where attempts mean nothing."""
    if not step.attempts:
        return ""
    allowed = retries.attempts_allowed(step.config)
    made = f"{len(step.attempts):,}"
    if allowed is None:
        return made
    return _("%(made)s of %(allowed)s") % {"made": made, "allowed": f"{allowed:,}"}


def _attempts(step: Step, state: StepState, now: datetime) -> tuple[AttemptRow, ...]:
    rows = []
    for number, attempt in enumerate(step.attempts, 1):
        before = step.attempts[number - 2].end if number > 1 else None
        is_last = number == len(step.attempts)
        shown = _attempt_state(attempt.success, state, is_last=is_last)
        end = attempt.end or (now if shown.is_open else None)
        rows.append(
            AttemptRow(
                number=number,
                word=shown.word,
                slug=shown.slug,
                start=attempt.start,
                length=spoken(end - attempt.start) if end and attempt.start else "",
                pause=spoken(attempt.start - before) if before and attempt.start else "",
                error=error_text(attempt.error, ATTEMPT_ERROR_LIMIT),
                is_over=attempt.success is not None,
                ticks_since=attempt.start if shown.is_open and attempt.end is None else None,
            )
        )
    return tuple(rows)


def _attempt_state(success: bool | None, state: StepState, *, is_last: bool) -> StepState:
    if success is not None:
        return StepState.DONE if success else StepState.FAILED
    if not is_last:
        return StepState.UNKNOWN
    return StepState.RUNNING if state.is_open else state


def _facts(step: Step, state: StepState) -> tuple[Fact, ...]:
    facts = []
    if step.event_type:
        facts.append(Fact(_("Event type"), words.cut(step.event_type, words.NAME_LIMIT)))
    if state in {StepState.SLEEPING, StepState.WAITING} and step.end:
        word = _("Wakes") if state is StepState.SLEEPING else _("Times out")
        facts.append(Fact(word, words.instant(step.end), until=step.end))
    if state is StepState.RETRYING:
        facts.append(_next_attempt(step))
    if step.trigger:
        facts.append(Fact(_("Terminated by"), words.cut(step.trigger, words.NAME_LIMIT)))
    return (*facts, *_config_facts(step.config))


def _next_attempt(step: Step) -> Fact:
    """When it is tried again, as far as anybody can tell."""
    allowed = retries.attempts_allowed(step.config)
    if allowed is not None and len(step.attempts) >= allowed:
        return Fact(_("Next attempt"), _("none: it was the last one"))
    next_on = retries.next_attempt_on(step)
    if next_on is None:
        is_dynamic = step.config is not None and step.config.delay == DYNAMIC
        why = _("unknown: the workflow computes the delay") if is_dynamic else _("unknown")
        return Fact(_("Next attempt"), why)
    about = _("about %(instant)s") % {"instant": words.instant(next_on)}
    return Fact(_("Next attempt"), about, until=next_on)


def _config_facts(config: StepConfig | None) -> list[Fact]:
    if config is None:
        return []
    facts = []
    if config.limit is not None:
        limit = _("up to %(number)s") % {"number": f"{config.limit:,}"}
        facts.append(Fact(_("Retries"), _("none") if config.limit == 0 else limit))
    if config.limit != 0:
        facts.append(Fact(_("Delay"), _delay_words(config)))
    if config.timeout is not None:
        time = _("%(time)s per attempt") % {"time": _as_written(config.timeout)}
        facts.append(Fact(_("Timeout"), time))
    if config.is_sensitive:
        facts.append(Fact(_("Sensitive"), _("its output is hidden by Cloudflare")))
    return facts


def _delay_words(config: StepConfig) -> str:
    if config.delay is None or config.delay == DYNAMIC:
        return _("computed by the workflow")
    backoff = words.cut(config.backoff, words.NAME_LIMIT) or "constant"
    return f"{_as_written(config.delay)}, {backoff}"


def _as_written(value: str | float) -> str:
    """A duration in its author's words; a number in ours."""
    if isinstance(value, str):
        return words.cut(value, words.NAME_LIMIT)
    return spoken(duration(value) or timedelta(0))
