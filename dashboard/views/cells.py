"""One cell of a list of instances for each column, as markup.

Written by hand, for a page has some five hundred of them and a template takes ten times as long:
whatever stands in a row is escaped here, by `escape`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape

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
    age,
    duration,
    elapsed,
    icon,
    middle,
    status_badge,
)

#: Phases that their status does not tell.
PHASE_WORDS: dict[str, str] = {
    PhaseKind.SLEEPING: "Sleeping",
    PhaseKind.RETRYING: "Retrying",
    PhaseKind.WAITING_FOR_EVENT: "Waits for event",
}
DAY = timedelta(days=1)


@dataclass
class Known:
    """What cells are told beside the row. `details` by the instance's key, only where a column
    needs it; `items`: what an operation is doing to a row, by its key; `workflows`: cells that were
    written; `normals`: what the rows that are stuck are held to."""

    now: datetime
    items: dict[int, Item] = field(default_factory=dict)
    details: dict[int, InstanceDetail] = field(default_factory=dict)
    workflows: dict[int, str] = field(default_factory=dict)
    normals: Normals = field(default_factory=lambda: Normals([]))


def status(row: ListRow, known: Known) -> str:
    """Its status, and what an operation is doing to it."""
    item = known.items.get(row.pk)
    if item is None:
        return status_badge(row.status)
    operation = item.operation
    title = escape(f"{operation.in_words}: {item.get_state_display()}")
    return (
        f'{status_badge(row.status)} <a class="mark" href="{escape(operation.get_absolute_url())}" '
        f'title="{title}">{escape(operation.get_kind_display())}</a>'
    )


def instance(row: ListRow, _known: Known) -> str:
    return (
        f'<a class="id" href="{escape(row.get_absolute_url())}" title="{escape(row.instance_id)}">'
        f"{escape(middle(row.instance_id, 30))}</a>"
    )


def workflow(row: ListRow, known: Known) -> str:
    if row.workflow_id not in known.workflows:
        known.workflows[row.workflow_id] = _workflow(row)
    return known.workflows[row.workflow_id]


def _workflow(row: ListRow) -> str:
    name, account = escape(row.workflow_name), escape(row.account_name)
    return (
        f'<a href="{escape(row.workflow_href)}" title="{name} in {account}">{name}'
        f'</a> <span class="faint">{account}</span>'
    )


def doing(row: ListRow, known: Known) -> str:
    """The step it is in, or failed in; its phase where the status does not tell it."""
    word = PHASE_WORDS.get(row.phase)
    if not word and not row.current_step:
        return _due(row, known).strip() or NOTHING
    step = escape(row.current_step)
    read = f", as read {words.instant(row.read_at)}" if row.read_at else ""
    at = word or ("Failed" if row.is_finished else "At")
    phase = ""
    if word:
        phase = f'<span class="phase">{icon(PhaseKind(row.phase).icon)} {word}</span> '
    tried = ""
    if row.attempts and row.attempts > 1:
        tried = f' <span class="mark">×{row.attempts} tried</span>'
    return (
        f'<span title="{at} in “{step}”{read}">{phase}<span class="id">{step}</span></span>'
        f"{tried}{_due(row, known)}"
    )


def _due(row: ListRow, known: Known) -> str:
    if overdue.is_stuck(row):
        return f' <span class="mark overdue">{icon("warning")} stuck</span>'
    if row.due_on is None:
        return ""
    was = "was due " if row.due_on < known.now else ""
    return f' <span class="mark">{was}{age(row.due_on, known.now)}</span>'


def attempts(row: ListRow, _known: Known) -> str:
    return NOTHING if row.attempts is None else str(row.attempts)


def error(row: ListRow, known: Known) -> str:
    told = ""
    is_stuck = overdue.is_stuck(row)
    if is_stuck and (why := overdue.overdue(row, known.normals.of_row(row), known.now)):
        brief = f"{icon('warning')} {escape(why.brief)}"
        told += f'<span class="overdue-why" title="{escape(why.text)}">{brief}</span> '
    if row.restarts:
        times = f" ×{row.restarts}" if row.restarts > 1 else ""
        told += (
            f'<span class="mark" title="Seen to begin anew {row.restarts} '
            f'time{"s" if row.restarts > 1 else ""}: restarted, or its id used again">'
            f"{icon('restarted')} restarted{times}</span> "
        )
    if row.expired_at:
        told += (
            f'<span class="mark" title="Cloudflare no longer has it since '
            f'{words.instant(row.expired_at)}; what was known is kept here">'
            f"{icon('gone')} gone, kept here</span> "
        )
    if not row.is_match:
        told += '<span class="mark">no longer matches</span> '
    if row.error_group_id:
        told += (
            f'<a class="mark" href="{group_address(row.error_group_id)}" '
            'title="All that failed for the same cause">group</a> '
        )
    if line := row.error_line:
        told += f'<span class="error-text" title="{escape(line)}">{escape(line[:240])}</span>'
    return told


def created(row: ListRow, known: Known) -> str:
    return age(row.created_on, known.now)


def started(row: ListRow, known: Known) -> str:
    return age(row.started_on, known.now)


def ended(row: ListRow, known: Known) -> str:
    return age(row.ended_on, known.now)


def took(row: ListRow, known: Known) -> str:
    if row.is_live and row.started_on:
        return f'<span class="going">{elapsed(row.started_on, known.now)}</span>'
    return duration(row.duration_ms)


def kept(row: ListRow, known: Known) -> str:
    """When Cloudflare deletes it, by its version's retention."""
    if row.expired_at:
        return '<span class="faint">gone</span>'
    if row.success_retention is None or row.error_retention is None:
        return NOTHING
    until = kept_until(row.status, row.ended_on, row.success_retention, row.error_retention)
    if until is None:
        return NOTHING
    return (
        f'<span class="{"soon" if until - known.now < DAY else ""}" title="Cloudflare deletes it '
        'then, by its version’s retention; an instance may have been given its own">'
        f"{age(until, known.now)}</span>"
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
