"""One cell of a list of instances for each column, as markup.

Written by hand, for a page has some five hundred of them and a template takes ten times as long:
whatever stands in a row is escaped here, by `escape`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape

from django.utils.translation import gettext_noop, ngettext

from dashboard.cloudflare.types import InstanceDetail
from dashboard.insight import overdue, words
from dashboard.insight.phase import PhaseKind
from dashboard.insight.places import value_at
from dashboard.insight.retention import kept_until
from dashboard.models import Item
from dashboard.models.addresses import group_address
from dashboard.models.list_row import ListRow
from dashboard.models.normal import Normals
from dashboard.templatetags.dashboard import (
    NOTHING,
    Said,
    age,
    duration,
    elapsed,
    icon,
    middle,
    status_badge,
)

#: Phases that their status does not tell.
PHASE_WORDS: dict[str, str] = {
    PhaseKind.SLEEPING: gettext_noop("Sleeping"),
    PhaseKind.RETRYING: gettext_noop("Retrying"),
    PhaseKind.WAITING_FOR_EVENT: gettext_noop("Waits for event"),
}
GONE_SINCE = gettext_noop(
    "Cloudflare no longer has it since %(moment)s; what was known is kept here"
)
SAME_CAUSE = gettext_noop("All that failed for the same cause")
DELETED_THEN = gettext_noop(
    "Cloudflare deletes it then, by its version’s retention; an instance may have been given its "
    "own"
)
DAY = timedelta(days=1)


@dataclass
class Known:
    """What cells are told beside the row. `details` by the instance's key, only where a column
    needs it; `items`: what an operation is doing to a row, by its key; `workflows`: cells that were
    written; `normals`: what the rows that are stuck are held to; `said`: what stands in many cells,
    in the reader's language."""

    now: datetime
    items: dict[int, Item] = field(default_factory=dict)
    details: dict[int, InstanceDetail] = field(default_factory=dict)
    workflows: dict[int, str] = field(default_factory=dict)
    normals: Normals = field(default_factory=lambda: Normals([]))
    badges: dict[str, str] = field(default_factory=dict)
    said: Said = field(default_factory=Said)

    def badge(self, status: str) -> str:
        """The status as markup, worked out once for all rows."""
        if status not in self.badges:
            self.badges[status] = status_badge(status)
        return self.badges[status]


def status(row: ListRow, known: Known) -> str:
    """Its status, and what an operation is doing to it."""
    item = known.items.get(row.pk)
    if item is None:
        return known.badge(row.status)
    operation = item.operation
    title = escape(f"{operation.in_words}: {item.get_state_display()}")
    return (
        f'{known.badge(row.status)} <a class="mark" href="{escape(operation.get_absolute_url())}" '
        f'title="{title}">{escape(operation.get_kind_display())}</a>'
    )


def instance(row: ListRow, _known: Known) -> str:
    return (
        f'<a class="id" href="{escape(row.get_absolute_url())}" title="{escape(row.instance_id)}">'
        f"{escape(middle(row.instance_id, 30))}</a>"
    )


def workflow(row: ListRow, known: Known) -> str:
    if row.workflow_id not in known.workflows:
        known.workflows[row.workflow_id] = _workflow(row, known)
    return known.workflows[row.workflow_id]


def _workflow(row: ListRow, known: Known) -> str:
    name, account = escape(row.workflow_name), escape(row.account_name)
    title = known.said[gettext_noop("%(workflow)s in %(account)s")] % {
        "workflow": name,
        "account": account,
    }
    return (
        f'<a href="{escape(row.workflow_href)}" title="{title}">{name}'
        f'</a> <span class="faint">{account}</span>'
    )


def doing(row: ListRow, known: Known) -> str:
    """The step it is in, or failed in; its phase where the status does not tell it."""
    word = PHASE_WORDS.get(row.phase)
    if not word and not row.current_step:
        return _due(row, known).strip() or NOTHING
    step = escape(row.current_step)
    phase = ""
    if word:
        phase = f'<span class="phase">{icon(PhaseKind(row.phase).icon)} {known.said[word]}</span> '
    tried = ""
    if row.attempts and row.attempts > 1:
        times = known.said[gettext_noop("×%(number)s tried")] % {"number": row.attempts}
        tried = f' <span class="mark">{times}</span>'
    return (
        f'<span title="{_where(row, step, known)}">{phase}<span class="id">{step}</span></span>'
        f"{tried}{_due(row, known)}"
    )


def _where(row: ListRow, step: str, known: Known) -> str:
    at = PHASE_WORDS.get(row.phase) or (
        gettext_noop("Failed") if row.is_finished else gettext_noop("At")
    )
    told = {"at": known.said[at], "step": step}
    if not row.read_at:
        return known.said[gettext_noop("%(at)s in “%(step)s”")] % told
    told["moment"] = words.instant(row.read_at)
    return known.said[gettext_noop("%(at)s in “%(step)s”, as read %(moment)s")] % told


def _due(row: ListRow, known: Known) -> str:
    if overdue.is_stuck(row):
        stuck = known.said[gettext_noop("stuck")]
        return f' <span class="mark overdue">{icon("warning")} {stuck}</span>'
    if row.due_on is None:
        return ""
    due = age(row.due_on, known.now, known.said)
    if row.due_on < known.now:
        due = known.said[gettext_noop("was due %(when)s")] % {"when": due}
    return f' <span class="mark">{due}</span>'


def attempts(row: ListRow, _known: Known) -> str:
    return NOTHING if row.attempts is None else str(row.attempts)


def error(row: ListRow, known: Known) -> str:
    told = ""
    is_stuck = overdue.is_stuck(row)
    if is_stuck and (why := overdue.overdue(row, known.normals.of_row(row), known.now)):
        brief = f"{icon('warning')} {escape(why.brief)}"
        told += f'<span class="overdue-why" title="{escape(why.text)}">{brief}</span> '
    if row.restarts:
        restarted = known.said[gettext_noop("restarted")]
        times = f" ×{row.restarts}" if row.restarts > 1 else ""
        told += (
            f'<span class="mark" title="{_began_anew(row.restarts)}">{icon("restarted")} '
            f"{restarted}{times}</span> "
        )
    if row.expired_at:
        since = {"moment": words.instant(row.expired_at)}
        gone = known.said[gettext_noop("gone, kept here")]
        told += (
            f'<span class="mark" title="{known.said[GONE_SINCE] % since}">{icon("gone")} '
            f"{gone}</span> "
        )
    if not row.is_match:
        no_match = known.said[gettext_noop("no longer matches")]
        told += f'<span class="mark">{no_match}</span> '
    if row.error_group_id:
        group = known.said[gettext_noop("group")]
        told += (
            f'<a class="mark" href="{group_address(row.error_group_id)}" '
            f'title="{known.said[SAME_CAUSE]}">{group}</a> '
        )
    if line := row.error_line:
        told += f'<span class="error-text" title="{escape(line)}">{escape(line[:240])}</span>'
    return told


def _began_anew(times: int) -> str:
    told = ngettext(
        "Seen to begin anew %(number)s time: restarted, or its id used again",
        "Seen to begin anew %(number)s times: restarted, or its id used again",
        times,
    )
    return escape(told % {"number": times})


def created(row: ListRow, known: Known) -> str:
    return age(row.created_on, known.now, known.said)


def started(row: ListRow, known: Known) -> str:
    return age(row.started_on, known.now, known.said)


def ended(row: ListRow, known: Known) -> str:
    return age(row.ended_on, known.now, known.said)


def took(row: ListRow, known: Known) -> str:
    if row.is_live and row.started_on:
        return f'<span class="going">{elapsed(row.started_on, known.now, known.said)}</span>'
    return duration(row.duration_ms)


def kept(row: ListRow, known: Known) -> str:
    """When Cloudflare deletes it, by its version's retention."""
    if row.expired_at:
        gone = known.said[gettext_noop("gone")]
        return f'<span class="faint">{gone}</span>'
    if row.success_retention is None or row.error_retention is None:
        return NOTHING
    until = kept_until(row.status, row.ended_on, row.success_retention, row.error_retention)
    if until is None:
        return NOTHING
    return (
        f'<span class="{"soon" if until - known.now < DAY else ""}" '
        f'title="{known.said[DELETED_THEN]}">{age(until, known.now, known.said)}</span>'
    )


def trigger(row: ListRow, _known: Known) -> str:
    return escape(row.trigger)


def version(row: ListRow, _known: Known) -> str:
    version_id = escape(row.version_id)
    return f'<span class="id" title="{version_id}">{escape(row.version_id[:8]) or NOTHING}</span>'


def payload(row: ListRow, known: Known, path: str) -> str:
    """What stands at this path of its params or output, where they are held here."""
    detail = known.details.get(row.pk)
    value = value_at(detail, path) if detail else None
    if value is None:
        return NOTHING
    text = escape(value)
    return f'<span title="{text}">{text}</span>'
