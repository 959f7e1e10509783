"""Pure: what the state of an instance allows, and in which words it refuses.

Follows the table of actions in Cloudflare's own local explorer and what its API answers; a status
that we do not know refuses nothing, for Cloudflare may know better.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from dashboard.cloudflare.types import Status
from dashboard.models.operation import Kind

WORDS = {
    Status.WAITING_FOR_PAUSE: gettext_noop("waiting for its pause"),
    Status.ROLLING_BACK: gettext_noop("rolling back"),
}


def in_words(status: str) -> str:
    """The status inside a sentence that a row keeps: "complete", "waiting for its pause"."""
    return WORDS.get(Status(status), status)


def refusal(kind: Kind, status: str, *, is_expired: bool = False) -> str:
    """Why this cannot be asked of an instance in this status; "" when it can."""
    if is_expired:
        return _("Cloudflare no longer has this instance; only what was known of it is kept here.")
    state = Status(status)
    if not state.is_known or state is Status.UNKNOWN:
        return ""
    told = {"status": _(WORDS[state]) if state in WORDS else status}
    if kind is Kind.PAUSE and state not in {Status.RUNNING, Status.WAITING}:
        return _("Only a running or waiting instance can be paused; this one is %(status)s.") % told
    if kind is Kind.RESUME and state not in {Status.PAUSED, Status.WAITING_FOR_PAUSE}:
        return _("Only a paused instance can be resumed; this one is %(status)s.") % told
    if kind is Kind.TERMINATE and state is Status.ROLLING_BACK:
        return _("It is rolling back, and ends by itself.")
    if kind in {Kind.TERMINATE, Kind.SEND_EVENT} and state.is_finished:
        return _("It has ended: this instance is %(status)s.") % told
    return ""
