"""How facts are put into words: instants, names of steps, errors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.types import ErrorDetail, Step, StepType
from dashboard.insight.durations import spoken

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
#: Cloudflare allows 256 characters; whatever else comes is cut where it is shown.
NAME_LIMIT = 300
TYPE_WORDS = {
    StepType.STEP: gettext_noop("Step"),
    StepType.SLEEP: gettext_noop("Sleep"),
    StepType.WAIT_FOR_EVENT: gettext_noop("Wait for event"),
    StepType.TERMINATION: gettext_noop("Termination"),
    StepType.ROLLBACK: gettext_noop("Rollback"),
}


def instant(moment: datetime, *, precise: bool = False) -> str:
    """`2026-11-21 05:12:09 UTC`; with milliseconds when `precise`."""
    timespec = "milliseconds" if precise else "seconds"
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', timespec)} UTC"


def away(moment: datetime, now: datetime) -> str:
    """`in 1 h 58 m` or `5 s ago`."""
    delta = moment - now
    if delta >= timedelta(0):
        return _("in %(time)s") % {"time": spoken(delta)}
    return _("%(time)s ago") % {"time": spoken(-delta)}


def name_of(step: Step) -> str:
    """The name the author wrote; with Cloudflare's counter only where it tells something.

    Rows keep it, so it is not in the language of whoever reads.
    """
    if not step.name:
        return (TYPE_WORDS.get(step.type) or cut(str(step.type), NAME_LIMIT)).lower()
    return cut(step.base_name if step.count == 1 else step.name, NAME_LIMIT)


def quoted(step: Step) -> str:
    return f"“{isolated(name_of(step))}”"


def isolated(text: str) -> str:
    """The text so that marks for right-to-left writing in it turn around nothing that follows."""
    return f"\u2068{text}\u2069" if _TURNS.search(text) else text


def type_word(step_type: StepType) -> str:
    """The type in our words; one we do not know in Cloudflare's."""
    if word := TYPE_WORDS.get(step_type):
        return _(word)
    return cut(str(step_type), NAME_LIMIT)


def error_line(error: ErrorDetail | None, limit: int = 160) -> str:
    """`TypeError: first line of the message`, cut to `limit`."""
    if error is None:
        return ""
    lines = error.message.strip().splitlines()
    line = ": ".join(part for part in (error.name, lines[0] if lines else "") if part)
    return cut(line, limit)


def error_text(error: ErrorDetail | None) -> str:
    """`TypeError: the whole message`."""
    if error is None:
        return ""
    return ": ".join(part for part in (error.name, error.message) if part)


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
