"""Pure: what a row becomes when Cloudflare speaks of its instance again.

Lists come from shards and may lag behind the instance itself, and two processes may sync at once.
So a list row changes a status only when it is newer than what is known; what was read from the
instance itself wins over an older list row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.cloudflare import types
from dashboard.cloudflare.types import Status
from dashboard.models.instance import Change, Instance
from dashboard.models.storing import storable_facts

#: What a list says of an instance, as columns; `is_said` compares in this order.
LISTED = (
    "status", "version_id", "trigger", "created_on", "modified_on", "started_on", "ended_on",
)  # fmt: skip


@dataclass
class Merge:
    """The fields to write, and what was noticed of the instance, if anything."""

    fields: dict[str, Any] = field(default_factory=dict)
    change: Change.Kind | None = None


def is_said(known: tuple[Any, ...], told: tuple[Any, ...]) -> bool:
    """True when a list tells nothing that is not known; both in the order of LISTED, and then
    whether the row was listed and is not expired. `merge_listed` gives an empty Merge then: this is
    the quick way to pass over most rows of most pages.
    """
    return all(
        new == old or not new or new is types.Trigger.UNKNOWN
        for new, old in zip(told, known, strict=True)
    )


def merge_listed(
    row: Instance, listed: types.Instance, *, asked_at: datetime, is_list_live: bool
) -> Merge:
    """What a list row, asked for at `asked_at`, changes of what is known."""
    facts = listed_facts(listed)
    if row.is_listed and listed.created_on and listed.created_on != row.created_on:
        if listed.created_on < row.created_on:
            return Merge()  # A lagging list still shows the instance that had this id before.
        return Merge(_fresh_facts() | facts, Change.Kind.REUSED)
    is_older = _is_older(row, listed, asked_at, is_list_live)
    if listed.created_on:
        facts["is_listed"] = True
    if is_older and row.status not in {listed.status, Status.UNKNOWN}:
        return Merge(_only_blanks(row, facts) | _creation(row, facts))
    if not is_older and _is_restarted_in_list(row, listed):
        return Merge(_fresh_facts() | facts, Change.Kind.RESTARTED)
    merge = Merge(_differences(row, facts))
    if row.expired_at and not is_older:
        merge.fields["expired_at"] = None
        merge.change = Change.Kind.RETURNED
    return merge


def merge_detail(row: Instance, detail: types.InstanceDetail) -> Merge:
    """What a read of the instance itself changes of what is known."""
    facts = detail_facts(detail)
    if _is_restarted_in_detail(row, detail):
        return Merge(_fresh_facts() | facts, Change.Kind.RESTARTED)
    merge = Merge(_differences(row, facts))
    if row.expired_at:
        merge.fields["expired_at"] = None
        merge.change = Change.Kind.RETURNED
    return merge


def duration_ms(started_on: datetime | None, ended_on: datetime | None) -> int | None:
    """Milliseconds between the two; None while either is unknown or they contradict each other."""
    if started_on is None or ended_on is None or ended_on < started_on:
        return None
    return round((ended_on - started_on).total_seconds() * 1000)


def _is_older(row: Instance, listed: types.Instance, asked_at: datetime, is_live: bool) -> bool:
    if listed.modified_on and row.modified_on and listed.modified_on < row.modified_on:
        return True
    if row.read_at is None:
        return False
    if is_live or listed.modified_on is None:
        return asked_at < row.read_at
    return listed.modified_on <= (row.read_on or row.read_at)


def _is_restarted_in_list(row: Instance, listed: types.Instance) -> bool:
    if row.is_finished and not listed.status.is_finished and listed.status is not Status.UNKNOWN:
        return True
    # Resuming queues an instance again, which may move its start; that is no restart.
    return not _was_paused(row) and _moved(row.started_on, listed.started_on)


def _is_restarted_in_detail(row: Instance, detail: types.InstanceDetail) -> bool:
    if row.is_finished and not detail.status.is_finished and detail.status is not Status.UNKNOWN:
        return True
    if _moved(row.queued_on, detail.queued):
        return True
    if not _was_paused(row) and _moved(row.started_on, detail.start):
        return True
    known, told = row.step_count, detail.step_count
    return known is not None and told is not None and told < known


def _was_paused(row: Instance) -> bool:
    return row.status in {Status.PAUSED, Status.WAITING_FOR_PAUSE}


def _moved(known: datetime | None, told: datetime | None) -> bool:
    return known is not None and told is not None and told > known


def listed_facts(listed: types.Instance) -> dict[str, Any]:
    """What a list row says, as columns; what it does not say is left out."""
    facts = {
        "status": listed.status.value,
        "created_on": listed.created_on,
        "modified_on": listed.modified_on,
        "started_on": listed.started_on,
        "ended_on": listed.ended_on,
        "version_id": listed.version_id,
        "trigger": None if listed.trigger is types.Trigger.UNKNOWN else listed.trigger.value,
    }
    return _told(facts)


def detail_facts(detail: types.InstanceDetail) -> dict[str, Any]:
    """What a read of the instance says, as columns; what it does not say is left out."""
    facts = {
        "status": detail.status.value,
        "queued_on": detail.queued,
        "started_on": detail.start,
        "ended_on": detail.end if detail.status.is_finished else None,
        "version_id": detail.version_id,
        "step_count": len(detail.steps) or detail.step_count,
        "trigger": None if detail.trigger is types.Trigger.UNKNOWN else detail.trigger.value,
    }
    if detail.error:
        facts |= {"error_name": detail.error.name, "error_message": detail.error.message}
    return _told(facts)


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    """Only what the answer says: thin rows and old shapes must not erase what is known."""
    told = {name: value for name, value in facts.items() if value not in {None, ""}}
    return storable_facts(Instance, told)


def _fresh_facts() -> dict[str, Any]:
    """What is not known of an instance that began anew."""
    return {
        "queued_on": None,
        "started_on": None,
        "ended_on": None,
        "error_name": "",
        "error_message": "",
        "step_count": None,
        "expired_at": None,
    }


def _differences(row: Instance, facts: dict[str, Any]) -> dict[str, Any]:
    changed = {name: value for name, value in facts.items() if getattr(row, name) != value}
    modified_on = changed.get("modified_on")
    if modified_on and row.modified_on and modified_on < row.modified_on:
        del changed["modified_on"]
    return changed


def _creation(row: Instance, facts: dict[str, Any]) -> dict[str, Any]:
    """When the instance was created, which was a guess until a list told it; even an old one."""
    if row.is_listed or "is_listed" not in facts:
        return {}
    return {"created_on": facts["created_on"], "is_listed": True}


def _only_blanks(row: Instance, facts: dict[str, Any]) -> dict[str, Any]:
    blank = {None, "", "unknown"}
    return {name: value for name, value in facts.items() if getattr(row, name) in blank}
