"""An instance in a few lines of Markdown, for an incident's channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.insight import words
from dashboard.insight.instance_page import InstancePage

#: What a chat shows of an error without folding it away.
ERROR_LENGTH = 1_500


@dataclass(frozen=True, slots=True)
class Place:
    """Where the instance is, and the link to it."""

    account: str
    workflow: str
    instance_id: str
    link: str


def as_markdown(place: Place, page: InstancePage, as_of: datetime) -> str:
    """What, where, since when, the error, the step it failed in with its attempts, and the link."""
    detail = page.detail
    status = words.cut(detail.status, words.NAME_LIMIT)
    lines = [
        _("**%(status)s** %(workflow)s instance %(instance)s")
        % {
            "status": status,
            "workflow": code(place.workflow),
            "instance": code(place.instance_id),
        },
        "",
        _("- Account: %(account)s") % {"account": code(place.account)},
        _("- State: %(state)s (as of %(instant)s)")
        % {"state": code(page.phase.text), "instant": words.instant(as_of)},
    ]
    if detail.start:
        lines.append(_("- Started: %(instant)s") % {"instant": words.instant(detail.start)})
    if detail.end and detail.status.is_finished:
        ended = {"instant": words.instant(detail.end), "time": page.length}
        lines.append(_("- Ended: %(instant)s, after %(time)s") % ended)
    if detail.version_id:
        version = code(words.cut(detail.version_id, words.NAME_LIMIT))
        lines.append(_("- Version: %(version)s") % {"version": version})
    if page.failing:
        attempts = page.failing.attempts_word
        text = _("- Failed step: %(step)s, attempt %(number)s")
        if not attempts:
            text = _("- Failed step: %(step)s")
        lines.append(text % {"step": code(page.failing.shown_name), "number": attempts})
    if page.error:
        lines += ["", *fenced(words.cut(words.error_text(page.error), ERROR_LENGTH))]
    return "\n".join([*lines, "", f"<{place.link}>"]) + "\n"


def code(text: str) -> str:
    """Text that no Markdown is read in, on one line."""
    text = " ".join(text.split())
    fence = "`" * (_longest_run(text) + 1)
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text}{room}{fence}" if text else "–"


def fenced(text: str) -> list[str]:
    """The same for several lines."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return [fence, text, fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
