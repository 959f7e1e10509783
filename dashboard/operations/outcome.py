"""Pure: has what was asked for been seen to happen?

"Done" is said only of a state that Cloudflare was seen to be in, never of a request that it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard.cloudflare import types
from dashboard.cloudflare.types import Status, StepType
from dashboard.models import Instance
from dashboard.models.operation import Kind, State
from dashboard.operations.allowed import in_words

#: Name and start of each wait that was open when an event was sent.
OpenWaits = list[list[str]]
#: So far our clock and Cloudflare's may be apart.
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Outcome:
    """Where an operation on one instance stands. `state` None: it has not been seen yet."""

    state: State | None
    note: str


def facts_before(instance: Instance, detail: types.InstanceDetail | None) -> dict[str, Any]:
    """What has to be known before an action, to tell afterwards whether it has happened."""
    return {
        "status": instance.status,
        "generation": instance.generation,
        "open_waits": _open_waits(detail) if detail else [],
    }


def outcome_of(
    kind: Kind,
    arguments: dict[str, Any],
    before: dict[str, Any],
    instance: Instance,
    detail: types.InstanceDetail | None,
    *,
    is_taken: bool = True,
) -> Outcome:
    """Compares what was known before with what Cloudflare says now.

    `is_taken` is False when Cloudflare's answer was lost: it may not have taken what was asked for.
    """
    status = Status(instance.status)
    match kind:
        case Kind.PAUSE:
            return _of_pause(status)
        case Kind.RESUME:
            return _of_resume(status)
        case Kind.TERMINATE:
            return _of_terminate(status)
        case Kind.RESTART:
            if instance.generation > before.get("generation", 0):
                return Outcome(State.DONE, f"Restarted; it is {in_words(status)} now.")
            return Outcome(None, f"It is {in_words(status)}; no new start has been seen yet.")
        case Kind.SEND_EVENT:
            event_type, open_before = arguments.get("event_type", ""), before.get("open_waits", [])
            return _of_event(event_type, open_before, status, detail, is_taken=is_taken)
        case Kind.CREATE:
            return _of_create(before, instance)
        case Kind.DELETE:
            return Outcome(None, f"Cloudflare still has it; it is {in_words(status)}.")


def _of_pause(status: Status) -> Outcome:
    if status is Status.PAUSED:
        return Outcome(State.DONE, "Paused.")
    if status.is_finished:
        return Outcome(State.SKIPPED, f"It ended before it could pause: it is {in_words(status)}.")
    if status is Status.WAITING_FOR_PAUSE:
        return Outcome(None, "Cloudflare pauses it as soon as the step in flight has ended.")
    return Outcome(None, f"It is still {in_words(status)}.")


def _of_resume(status: Status) -> Outcome:
    if status in {Status.PAUSED, Status.WAITING_FOR_PAUSE}:
        return Outcome(None, f"It is still {in_words(status)}.")
    if status is Status.TERMINATED:
        return Outcome(State.SKIPPED, "It was terminated before it was seen to go on.")
    return Outcome(State.DONE, f"Resumed; it is {in_words(status)} now.")


def _of_terminate(status: Status) -> Outcome:
    if status is Status.TERMINATED:
        return Outcome(State.DONE, "Terminated.")
    if status.is_finished:
        return Outcome(State.SKIPPED, f"It ended by itself first: it is {in_words(status)}.")
    return Outcome(None, f"It is {in_words(status)}.")


def _of_create(before: dict[str, Any], instance: Instance) -> Outcome:
    sent_on = before.get("sent_on", "")
    if sent_on and instance.created_on < datetime.fromisoformat(sent_on) - CLOCKS_DIFFER:
        return Outcome(State.SKIPPED, "An instance with this id had been created before.")
    return Outcome(State.DONE, f"Created; it is {in_words(Status(instance.status))} now.")


def _of_event(
    event_type: str,
    open_before: OpenWaits,
    status: Status,
    detail: types.InstanceDetail | None,
    *,
    is_taken: bool,
) -> Outcome:
    if not open_before:
        if not is_taken:
            note = "Nothing was waiting for an event, so it cannot be seen whether it arrived."
            return Outcome(State.FAILED, f"Cloudflare's answer was lost. {note}")
        return Outcome(
            State.DONE,
            f"Cloudflare took the event. No step was waiting at that moment; it is kept until one "
            f"waits for “{event_type}”.",
        )
    so_far = "Cloudflare took the event, but" if is_taken else "Cloudflare's answer was lost, and"
    still_open = _open_waits(detail) if detail else open_before
    ended = [one for one in open_before if one not in still_open]
    failed = _waits(detail, success=False) if detail else []
    if delivered := [wait for wait in ended if wait not in failed]:
        return Outcome(State.DONE, f"Delivered: “{delivered[0][0]}” no longer waits.")
    if len(ended) == len(open_before):
        return Outcome(State.FAILED, f"{so_far} “{ended[0][0]}” ended without one.")
    if status.is_finished:
        return Outcome(State.SKIPPED, f"{so_far} it is {in_words(status)} now.")
    names = " and ".join(f"“{wait[0]}”" for wait in open_before if wait in still_open)
    waiting = f"{names} still waits; is “{event_type}” its type?"
    return Outcome(None, f"{so_far} {waiting}" if is_taken else waiting)


def _open_waits(detail: types.InstanceDetail) -> OpenWaits:
    return _waits(detail, success=None)


def _waits(detail: types.InstanceDetail, *, success: bool | None) -> OpenWaits:
    return [
        [step.name, step.start.isoformat() if step.start else ""]
        for step in detail.steps
        if step.type is StepType.WAIT_FOR_EVENT and step.success is success
    ]
