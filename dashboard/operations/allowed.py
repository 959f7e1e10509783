"""Pure: what the state of an instance allows, and in which words it refuses.

Follows the table of actions in Cloudflare's own local explorer and what its API answers; a status
that we do not know refuses nothing, for Cloudflare may know better.
"""

from __future__ import annotations

from dashboard.cloudflare.types import Status
from dashboard.models.operation import Kind

WORDS = {
    Status.WAITING_FOR_PAUSE: "waiting for its pause",
    Status.ROLLING_BACK: "rolling back",
}


def in_words(status: str) -> str:
    """The status inside a sentence: "complete", "waiting for its pause"."""
    return WORDS.get(Status(status), status)


def refusal(kind: Kind, status: str, *, is_expired: bool = False) -> str:
    """Why this cannot be asked of an instance in this status; "" when it can."""
    if is_expired:
        return "Cloudflare no longer has this instance; only what was known of it is kept here."
    state = Status(status)
    if not state.is_known or state is Status.UNKNOWN:
        return ""
    words = in_words(status)
    if kind is Kind.PAUSE and state not in {Status.RUNNING, Status.WAITING}:
        return f"Only a running or waiting instance can be paused; this one is {words}."
    if kind is Kind.RESUME and state not in {Status.PAUSED, Status.WAITING_FOR_PAUSE}:
        return f"Only a paused instance can be resumed; this one is {words}."
    if kind is Kind.TERMINATE and state is Status.ROLLING_BACK:
        return "It is rolling back, and ends by itself."
    if kind in {Kind.TERMINATE, Kind.SEND_EVENT} and state.is_finished:
        return f"It has ended: this instance is {words}."
    return ""
