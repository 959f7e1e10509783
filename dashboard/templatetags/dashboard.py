"""How facts look on a page: instants, ages, durations, statuses, icons. None is written as "–".

What has nothing to escape is made a SafeString at once: `mark_safe` takes as long as an age itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, gettext_noop

from dashboard.cloudflare.types import Status
from dashboard.insight import words
from dashboard.insight.durations import spoken
from dashboard.models.operation import State

register = template.Library()

NOTHING = "–"
SECOND = timedelta(seconds=1)
STATUS_WORDS = {
    Status.QUEUED: gettext_noop("Queued"),
    Status.RUNNING: gettext_noop("Running"),
    Status.WAITING: gettext_noop("Waiting"),
    Status.WAITING_FOR_PAUSE: gettext_noop("Waiting for pause"),
    Status.PAUSED: gettext_noop("Paused"),
    Status.ROLLING_BACK: gettext_noop("Rolling back"),
    Status.COMPLETE: gettext_noop("Complete"),
    Status.ERRORED: gettext_noop("Errored"),
    Status.TERMINATED: gettext_noop("Terminated"),
    Status.UNKNOWN: gettext_noop("Unknown"),
}
OUTCOME_ICONS = {
    State.PENDING: "queued",
    State.SENDING: "sync",
    State.ACCEPTED: "waiting",
    State.LOST: "warning",
    State.DONE: "complete",
    State.SKIPPED: "terminated",
    State.FAILED: "errored",
}
AGO, AHEAD = gettext_noop("%(time)s ago"), gettext_noop("in %(time)s")
SINCE = gettext_noop("since %(moment)s")
NOTICE_KINDS = {"success": "good", "debug": "info"}
NOTICE_ICONS = {"error": "errored", "warning": "warning", "good": "complete"}


class Said(dict[str, str]):
    """Texts in the reader's language, escaped: each is looked up once for a whole list."""

    def __missing__(self, text: str) -> str:
        self[text] = told = escape(gettext(text))
        return told


@register.simple_tag
def unchanging(name: str) -> SafeString:
    """A template that says the same on every page, rendered once for each language."""
    return _rendered(name, get_language())


@cache
def _rendered(name: str, _language: str) -> SafeString:
    return render_to_string(name)


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """An icon of static/icons.svg; it says nothing by itself, so a word stands beside it."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>',
        staticfiles_storage.url("icons.svg"),
        name,
    )


@register.simple_tag
def status_badge(status: str) -> SafeString:
    """The status with its icon, word and colour; one we do not know is shown as it came."""
    return _badge(status, get_language())


@lru_cache(maxsize=256)
def _badge(status: str, _language: str) -> SafeString:
    known = Status(status)
    is_known = known.is_known and known is not Status.UNKNOWN
    why = gettext("A status this dashboard does not know, as Cloudflare sent it")
    return format_html(
        '<span class="badge" data-status="{}"{}>{} {}</span>',
        status,
        "" if known.is_known else format_html(' data-unknown title="{}"', why),
        icon(status if is_known else "unknown"),
        status_word(status),
    )


@register.inclusion_tag("components/outcome_badge.html")
def outcome_badge(state: str, count: int = 0) -> dict[str, object]:
    """How far an operation has come, with its icon, word and colour."""
    return {"state": State(state), "icon_name": OUTCOME_ICONS[State(state)], "count": count}


@register.filter
def then(address: str, more: str) -> str:
    """An address with more behind it; "" where there is none to begin with."""
    return f"{address}{more}" if address else ""


@register.filter
def as_json(value: object) -> str:
    """The value as JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def status_word(status: str) -> str:
    """The status as it is called on a page; one we do not know as it came."""
    word = STATUS_WORDS.get(Status(status))
    return gettext(word) if word else status


@register.simple_tag
def instant(value: datetime | None) -> SafeString | str:
    """The exact time in UTC; the reader's own zone is added to its title by time.js."""
    if value is None:
        return NOTHING
    iso = _iso(value)
    return SafeString(f'<time datetime="{iso}">{_utc(iso)}</time>')


@register.simple_tag
def age(value: datetime | None, now: datetime, said: Said | None = None) -> SafeString | str:
    """How long ago (or until) something is, ticking; the exact time in its title. `said`: what a
    list of many looks its words up in."""
    if value is None:
        return NOTHING
    iso = _iso(value)
    seconds = (now - value) // SECOND
    form = AHEAD if seconds < 0 else AGO
    told = (gettext(form) if said is None else said[form]) % {"time": _about(abs(seconds))}
    return SafeString(f'<time datetime="{iso}" data-age title="{_utc(iso)}">{told}</time>')


@register.simple_tag
def elapsed(since: datetime | None, now: datetime, said: Said | None = None) -> SafeString | str:
    """How long something that has not ended has taken so far, ticking. `said`: as in `age`."""
    if since is None:
        return NOTHING
    iso = _iso(since)
    title = (gettext(SINCE) if said is None else said[SINCE]) % {"moment": _utc(iso)}
    return SafeString(
        f'<time datetime="{iso}" data-elapsed title="{title}">'
        f"{duration(max(0, (now - since) // SECOND) * SECOND)}</time>"
    )


@register.simple_tag
def countdown(until: datetime | None, now: datetime) -> SafeString | str:
    """How long until a moment, or since it, ticking: "in 1 h 58 m", "5 s ago"."""
    if until is None:
        return NOTHING
    iso = _iso(until)
    return format_html(
        '<time datetime="{}" data-countdown title="{}">{}</time>',
        iso,
        _utc(iso),
        words.away(until, now),
    )


@register.filter
def duration(value: timedelta | int | float | None) -> str:
    """A timedelta, or milliseconds, in at most two units: "340 ms", "3 m 04 s", "1 h 02 m"."""
    if value is None:
        return NOTHING
    return spoken(value if isinstance(value, timedelta) else timedelta(milliseconds=value))


@register.filter
def middle(text: str, length: int = 40) -> str:
    """The text with its middle left out, for ids whose start and end tell them apart."""
    if len(text) <= length:
        return text
    return f"{text[: length * 3 // 5 - 1]}…{text[-(length * 2 // 5) :]}"


@register.filter
def number(value: int) -> str:
    """Thousands set apart: 1,204."""
    return f"{value:,}"


@register.filter
def get(mapping: Mapping[str, Any] | str, key: str) -> Any:
    """What stands under this key; None for nothing, and where there is no mapping."""
    return mapping.get(key) if isinstance(mapping, Mapping) else None


@register.filter
def read_query(query: str) -> str:
    """The part of an address behind the `?`, for people."""
    return "  ".join(
        value if name == "q" else f"{name}: {value}" for name, value in parse_qsl(query)
    )


@register.filter
def or_nothing(value: object) -> object:
    """ "–" for what is None or empty; 0 is a number."""
    return NOTHING if value is None or value == "" else value


@register.filter
def notice_kind(level: str) -> str:
    return NOTICE_KINDS.get(level, level)


@register.filter
def notice_icon(level: str) -> str:
    return NOTICE_ICONS.get(notice_kind(level), "info")


def _about(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} d"


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


def _utc(iso: str) -> str:
    """What `_iso` wrote, for people."""
    return f"{iso[:10]} {iso[11:19]} UTC"
