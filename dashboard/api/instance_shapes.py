"""How the API writes an instance, in a list and by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from ninja import Schema
from pydantic import Field

from dashboard import operations
from dashboard.api.shapes import plain
from dashboard.cloudflare import types
from dashboard.insight.instance_page import InstancePage
from dashboard.insight.overdue import is_stuck
from dashboard.insight.states import state_of
from dashboard.models import Item, Snapshot
from dashboard.models.list_row import ListRow


class InstanceRow(Schema):
    """An instance as a list tells it. `seen_at`: when Cloudflare last spoke of it; `read_at`: when
    it was last read itself, which is when phase, step and error were true."""

    account_id: str
    account: str
    workflow: str
    id: str
    status: str
    version_id: str
    trigger: str
    created_on: datetime
    started_on: datetime | None
    ended_on: datetime | None
    duration_ms: int | None
    error_name: str
    error_message: str
    restarts: int
    generation: int
    phase: str
    current_step: str
    attempts: int | None
    due_on: datetime | None
    group: int | None = Field(description="Of failures; see /groups/{pk}.")
    is_stuck: bool
    seen_at: datetime
    read_at: datetime | None
    expired_at: datetime | None = Field(description="Since when Cloudflare no longer has it.")
    href: str

    @classmethod
    def facts(cls, row: ListRow, base: str) -> dict[str, Any]:
        told = {
            "account": row.account_name,
            "workflow": row.workflow_name,
            "id": row.instance_id,
            "group": row.error_group_id,
            "is_stuck": is_stuck(row),
            "href": base + row.get_absolute_url(),
        }
        own = set(InstanceRow.model_fields) - set(told)
        return told | {name: getattr(row, name) for name in own}

    @classmethod
    def of(cls, row: ListRow, base: str) -> Self:
        return cls(**cls.facts(row, base))


class Instances(Schema):
    """One page of a list. `matches` is told with the first page only; `next` goes into `after`."""

    as_of: datetime
    instances: list[InstanceRow]
    next: str
    previous: str
    matches: int | None
    is_exact: bool | None = Field(description="False: there are at least so many.")
    counts: dict[str, int] | None = Field(description="By status, of what fits all but the status.")


class ErrorTold(Schema):
    name: str
    message: str

    @classmethod
    def of(cls, error: types.ErrorDetail | None) -> ErrorTold | None:
        return cls(name=error.name, message=error.message) if error else None


class AttemptTold(Schema):
    start: datetime | None
    end: datetime | None
    success: bool | None
    error: ErrorTold | None


class StepTold(Schema):
    """An entry of the log. `index` is its place, from 0; `state` what the page calls it."""

    index: int
    type: str
    name: str
    state: str
    start: datetime | None
    end: datetime | None
    success: bool | None
    error: ErrorTold | None
    attempts: list[AttemptTold]
    output: Any
    has_output: bool
    is_output_truncated: bool = Field(description="By Cloudflare; /step-output has all of it.")
    event_type: str

    @classmethod
    def of(cls, step: types.Step, detail: types.InstanceDetail) -> StepTold:
        copied = ("index", "name", "start", "end", "success", "has_output", "event_type")
        return cls(
            **{name: getattr(step, name) for name in (*copied, "is_output_truncated")},
            type=step.type.value,
            state=state_of(step, detail).slug,
            error=ErrorTold.of(step.error),
            attempts=[
                AttemptTold(
                    start=one.start, end=one.end, success=one.success, error=ErrorTold.of(one.error)
                )
                for one in step.attempts
            ],
            output=plain(step.output),
        )


class PhaseTold(Schema):
    """What it is doing, in a sentence. `is_estimate`: `until` is worked out, not told."""

    kind: str
    text: str
    since: datetime | None
    until: datetime | None
    is_estimate: bool


class ActionTold(Schema):
    """What can be asked of it. `why_not` is empty when it can, by whoever asks."""

    kind: str
    why_not: str

    @classmethod
    def of(cls, choice: operations.Choice) -> ActionTold:
        return cls(kind=choice.kind.value, why_not=choice.refusal)


class KeptTold(Schema):
    """A generation of it that was kept whole."""

    id: str
    generation: int
    why: str
    taken_at: datetime
    status: str
    missing_count: int
    href: str

    @classmethod
    def of(cls, kept: Snapshot, base: str) -> KeptTold:
        copied = ("generation", "why", "taken_at", "status", "missing_count")
        return cls(
            **{name: getattr(kept, name) for name in copied},
            id=str(kept.pk),
            href=base + kept.get_absolute_url(),
        )


class AskedTold(Schema):
    """What somebody asked of it."""

    operation: str
    kind: str
    asked_by: str
    asked_at: datetime
    state: str
    note: str
    href: str

    @classmethod
    def of(cls, item: Item, base: str) -> AskedTold:
        operation = item.operation
        return cls(
            operation=str(operation.pk),
            kind=operation.kind,
            asked_by=operation.asked_by,
            asked_at=operation.requested_at,
            state=item.state,
            note=item.note,
            href=base + operation.get_absolute_url(),
        )


class DetailTold(Schema):
    """What was last read of the instance itself. `steps` begin at `step_offset`."""

    phase: PhaseTold
    error: ErrorTold | None
    rollback: str = Field(description="How the rollback went; empty when there was none.")
    params: Any
    is_params_truncated: bool
    output: Any
    is_output_truncated: bool
    step_count: int
    step_offset: int
    steps: list[StepTold]

    @classmethod
    def of(cls, page: InstancePage, offset: int, limit: int) -> DetailTold:
        detail, phase = page.detail, page.phase
        copied = ("text", "since", "until", "is_estimate")
        shown = detail.steps[offset : offset + limit]
        return cls(
            phase=PhaseTold(
                kind=phase.kind.value, **{name: getattr(phase, name) for name in copied}
            ),
            error=ErrorTold.of(detail.error),
            rollback=detail.rollback.outcome if detail.rollback else "",
            params=plain(detail.params),
            is_params_truncated=detail.is_params_truncated,
            output=plain(detail.output),
            is_output_truncated=detail.is_output_truncated,
            step_count=len(detail.steps),
            step_offset=offset,
            steps=[StepTold.of(step, detail) for step in shown],
        )


class OneInstance(InstanceRow):
    """An instance by itself. `is_current`: Cloudflare was asked just now, or within seconds; else
    `failure` says why not, and all is as of `told_at`."""

    as_of: datetime
    told_at: datetime | None
    is_current: bool
    failure: str
    detail: DetailTold | None = Field(description="null where it was never read.")
    actions: list[ActionTold]
    operations: list[AskedTold]
    evidence: list[KeptTold]


class OutputTold(Schema):
    """The whole output of a step, as Cloudflare sends it. `output` is null where it is bytes."""

    status: str
    output: Any
    error: ErrorTold | None
    is_binary: bool
    content_type: str
    size: int | None
