"""Putting a merge into a row: for lists and details alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dashboard.insight.overdue import expected_by
from dashboard.insight.phase import PhaseKind
from dashboard.insight.standing import Standing
from dashboard.models import merging, tallies
from dashboard.models.happened import Before
from dashboard.models.instance import Change, Instance, facts_of
from dashboard.models.merging import Merge
from dashboard.models.normal import normal_of
from dashboard.models.search_text import SearchText
from dashboard.models.storing import storable_facts
from dashboard.models.written import Written

MERGED_FIELDS = [
    "status", "version_id", "trigger", "created_on", "modified_on", "queued_on", "started_on",
    "ended_on", "duration_ms", "error_name", "error_message", "step_count", "generation",
    "is_listed", "seen_at", "status_seen_at", "expired_at", "left_at", "phase", "current_step",
    "attempts", "due_on", "at_work_on", "expected_by", "error_group",
]  # fmt: skip


def apply(row: Instance, merge: Merge, now: datetime, written: Written) -> bool:
    """Puts the merge into the row, which was shown, and notes what it noticed. True when anything
    changed."""
    before = Before.of(row)
    written.moves[tallies.place(row)] -= 1
    if merge.change:
        remember(row, merge.change, now)
    if merge.change in {Change.Kind.RESTARTED, Change.Kind.REUSED}:
        row.generation += 1
        row.status_seen_at = now
        row.error_group = None
        SearchText.objects.filter(instance=row).update(error="")
        stand(row, Standing())
    if merge.fields.get("status", row.status) != row.status:
        row.status_seen_at = now
        stand(row, Standing())
    for name, value in merge.fields.items():
        setattr(row, name, value)
    row.duration_ms = merging.duration_ms(row.started_on, row.ended_on)
    has_changed = bool(merge.fields) or row.left_at is not None
    row.left_at = None
    if has_changed:
        row.seen_at = now
    written.moves[tallies.place(row)] += 1
    written.happened.noticed(
        row,
        before,
        is_restart=merge.change == Change.Kind.RESTARTED,
        is_reuse=merge.change == Change.Kind.REUSED,
    )
    return has_changed


def stand(row: Instance, told: Standing) -> None:
    """Puts where the instance stands into its row. Between two steps it is at work since it was
    resumed, where that was later than the end of the last one."""
    if told.phase == PhaseKind.RUNNING and not told.step and told.at_work_on:
        told = replace(told, at_work_on=max(told.at_work_on, row.modified_on or told.at_work_on))
    facts = {
        "phase": told.phase,
        "current_step": told.step,
        "attempts": told.attempts,
        "due_on": told.due_on,
        "at_work_on": told.at_work_on,
        "expected_by": expected_by(told, normal_of(row, told)),
    }
    for name, value in storable_facts(Instance, facts).items():
        setattr(row, name, value)


def remember(row: Instance, kind: Change.Kind, now: datetime) -> None:
    Change.objects.create(
        instance=row,
        kind=kind,
        noticed_at=now,
        generation=row.generation,
        before=facts_of(row),
    )
