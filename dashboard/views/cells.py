"""One cell of a list of instances for each column. Functions rather than templates: a page has
some five hundred of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.html import format_html
from django.utils.safestring import SafeString

from dashboard.cloudflare.types import InstanceDetail
from dashboard.insight import words
from dashboard.insight.phase import PhaseKind
from dashboard.insight.places import value_at
from dashboard.insight.retention import kept_until
from dashboard.models import Instance, Item, Version
from dashboard.models.conditions import OVERDUE_AFTER
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


@dataclass
class Known:
    """What cells are told beside the row. `versions` by workflow and version id, `details` by the
    instance's key, each only where a column needs it; `items`: what an operation is doing to a row,
    by its key; `workflows`: cells that were written."""

    now: datetime
    items: dict[int, Item] = field(default_factory=dict)
    versions: dict[tuple[int, str], Version] = field(default_factory=dict)
    details: dict[int, InstanceDetail] = field(default_factory=dict)
    workflows: dict[int, SafeString] = field(default_factory=dict)


def status(row: Instance, known: Known) -> SafeString:
    """Its status, and what an operation is doing to it."""
    item = known.items.get(row.pk)
    if item is None:
        return status_badge(row.status)
    return format_html(
        '{} <a class="mark" href="{}" title="{}">{}</a>',
        status_badge(row.status),
        item.operation.get_absolute_url(),
        f"{item.operation.in_words}: {item.get_state_display()}",
        item.operation.get_kind_display(),
    )


def instance(row: Instance, _known: Known) -> SafeString:
    return format_html(
        '<a class="id" href="{}" title="{}">{}</a>',
        row.get_absolute_url(),
        row.instance_id,
        middle(row.instance_id, 30),
    )


def workflow(row: Instance, known: Known) -> SafeString:
    if row.workflow_id not in known.workflows:
        known.workflows[row.workflow_id] = _workflow(row)
    return known.workflows[row.workflow_id]


def _workflow(row: Instance) -> SafeString:
    account = row.workflow.account.name
    return format_html(
        '<a href="{}" title="{} in {}">{}</a> <span class="faint">{}</span>',
        row.workflow.get_absolute_url(),
        row.workflow.name,
        account,
        row.workflow.name,
        account,
    )


def doing(row: Instance, known: Known) -> SafeString | str:
    """The step it is in, or failed in; its phase where the status does not tell it."""
    word = PHASE_WORDS.get(row.phase)
    if not word and not row.current_step:
        return NOTHING
    read = f", as read {words.instant(row.read_at)}" if row.read_at else ""
    said = f"{word or ('Failed' if row.is_finished else 'At')} in “{row.current_step}”{read}"
    told = format_html('<span title="{}">', said)
    if word:
        told += format_html(
            '<span class="phase">{} {}</span> ', icon(PhaseKind(row.phase).icon), word
        )
    told += format_html('<span class="id">{}</span></span>', row.current_step)
    if row.attempts and row.attempts > 1:
        told += format_html(' <span class="mark">×{} tried</span>', row.attempts)
    return told + _due(row, known.now)


def _due(row: Instance, now: datetime) -> SafeString:
    if row.due_on is None:
        return SafeString()
    if row.due_on < now - OVERDUE_AFTER:
        overdue = ' <span class="mark overdue">{} was due {}</span>'
        return format_html(overdue, icon("warning"), age(row.due_on, now))
    return format_html(' <span class="mark">{}</span>', age(row.due_on, now))


def attempts(row: Instance, _known: Known) -> str:
    return NOTHING if row.attempts is None else str(row.attempts)


def error(row: Instance, _known: Known) -> SafeString | str:
    told = SafeString()
    if row.restarts:
        times = f" ×{row.restarts}" if row.restarts > 1 else ""
        told += format_html(
            '<span class="mark" title="Seen to begin anew {} time{}: restarted, or its id used '
            'again">{} restarted{}</span> ',
            row.restarts,
            "s" if row.restarts > 1 else "",
            icon("restarted"),
            times,
        )
    if row.expired_at:
        told += format_html(
            '<span class="mark" title="Cloudflare no longer has it since {}; '
            'what was known is kept here">{} gone, kept here</span> ',
            words.instant(row.expired_at),
            icon("gone"),
        )
    if not row.is_match:
        told += format_html('<span class="mark">{}</span> ', "no longer matches")
    if line := row.error_line:
        told += format_html('<span class="error-text" title="{}">{}</span>', line, line[:240])
    return told


def created(row: Instance, known: Known) -> SafeString | str:
    return age(row.created_on, known.now)


def started(row: Instance, known: Known) -> SafeString | str:
    return age(row.started_on, known.now)


def ended(row: Instance, known: Known) -> SafeString | str:
    return age(row.ended_on, known.now)


def took(row: Instance, known: Known) -> SafeString | str:
    if row.is_live and row.started_on:
        return format_html('<span class="going">{}</span>', elapsed(row.started_on, known.now))
    return duration(row.duration_ms)


def kept(row: Instance, known: Known) -> SafeString | str:
    """When Cloudflare deletes it, by its version's retention."""
    if row.expired_at:
        return format_html('<span class="faint">{}</span>', "gone")
    version = known.versions.get((row.workflow_id, row.version_id))
    if version is None:
        return NOTHING
    until = kept_until(row.status, row.ended_on, version.success_retention, version.error_retention)
    if until is None:
        return NOTHING
    is_soon = until - known.now < timedelta(hours=24)
    return format_html(
        '<span class="{}" title="Cloudflare deletes it then, by its version’s retention; '
        'an instance may have been given its own">{}</span>',
        "soon" if is_soon else "",
        age(until, known.now),
    )


def trigger(row: Instance, _known: Known) -> str:
    return row.trigger


def version(row: Instance, _known: Known) -> SafeString:
    return format_html(
        '<span class="id" title="{}">{}</span>', row.version_id, row.version_id[:8] or NOTHING
    )


def payload(row: Instance, known: Known, path: str) -> SafeString | str:
    """What stands at this path of its params or output, where they are held here."""
    detail = known.details.get(row.pk)
    value = value_at(detail, path) if detail else None
    return NOTHING if value is None else format_html('<span title="{0}">{0}</span>', value)
