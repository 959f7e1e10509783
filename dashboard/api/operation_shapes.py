"""How the API writes what is asked for, and what became of it."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Literal, Self

from ninja import Schema
from pydantic import ConfigDict, Field

from dashboard import operations
from dashboard.api.instance_shapes import InstanceRow
from dashboard.api.shapes import Paged, plain
from dashboard.models import Item, Operation, StageChange
from dashboard.models.list_row import list_rows
from dashboard.models.storing import LARGEST


class Asked(Schema):
    """What every action can be told; what its kind has no use for is left out."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=2000, description="A restart and a termination take one.")
    rollback: bool = Field(False, description="terminate: run the rollback steps first.")
    event_type: str = Field("", max_length=100, description="send-event: its type.")
    payload: Any = Field(None, description="send-event: any JSON.")


class AskOne(Asked):
    """One action on one instance. With `seen_generation` nothing is sent if it was restarted since.
    `restart_from_step`: the `index` of a step; else from the beginning."""

    kind: Literal["pause", "resume", "restart", "terminate", "send-event"]
    account_id: str
    workflow_name: str
    instance_id: str
    seen_generation: int | None = Field(None, ge=1, le=2**31 - 1)
    restart_from_step: int | None = Field(None, ge=0, le=10**6)
    without_evidence: bool = Field(False, description="Restart though something cannot be kept.")


class Chosen(Asked):
    """An action on all that a search finds, or on those that failed in an earlier operation
    (`retry_of`). With `newest` of the preview, none that came later."""

    kind: Literal["pause", "resume", "restart", "terminate", "send-event", "delete"]
    q: str = Field("", max_length=1000)
    retry_of: uuid.UUID | None = None
    newest: int | None = Field(None, ge=0, le=LARGEST)
    step_name: str = Field("", max_length=256, description="restart: from this step.")
    step_count: int | None = Field(None, ge=1, le=10**6)
    step_type: Literal["", "do", "sleep", "waitForEvent"] = ""
    without_evidence: bool = False


class AskMany(Chosen):
    """The yes to what the preview showed: `expected_count` is its `acted_on`."""

    expected_count: int = Field(ge=1, le=LARGEST)
    waves: list[int] | None = Field(None, description="How many first, and then, before the rest.")
    stop_above: int | None = Field(None, ge=0, le=100, description="Percent of a wave that failed.")


class AskNew(Schema):
    """A new instance. Without an id one is made up."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field("", max_length=1000)
    params: Any = None
    success_retention: str | int | None = None
    error_retention: str | int | None = None
    location_hint: str = ""
    reason: str = Field("", max_length=2000)


class AskBatch(Schema):
    """Many new instances, each with any of instance_id, params, instance_retention and
    location_hint. Nothing is sent before the operation is steered to `running`."""

    model_config = ConfigDict(extra="forbid")

    instances: list[dict[str, Any]] = Field(min_length=1)
    reason: str = Field("", max_length=2000)


class Steer(Schema):
    """Where an operation on many is to go."""

    model_config = ConfigDict(extra="forbid")

    stage: Literal["running", "paused", "stopped"]


class ShareTold(Schema):
    account_id: str
    workflow: str
    acted_on: int
    skipped: int


class FirstTold(InstanceRow):
    why_not: str


class PlanTold(Schema):
    """What an operation on many would do. `why_not`: why nobody can say yes to it, empty when
    somebody can. `seconds`: under the present budget; null when that is not known."""

    kind: str
    why_not: str
    number: int
    acted_on: int
    skipped: dict[str, int] = Field(description="By the reason, how many.")
    workflows: list[ShareTold]
    calls: int = Field(description="Requests to Cloudflare that it takes.")
    seconds: float | None
    newest: int
    first: list[FirstTold]

    @classmethod
    def of(cls, plan: operations.Plan, newest: int, base: str) -> Self:
        rows = list_rows([row.pk for row, _ in plan.first])
        refusals = {row.pk: why_not for row, why_not in plan.first}
        return cls(
            kind=plan.kind.value,
            why_not=plan.why_not,
            number=plan.number,
            acted_on=plan.acted_on,
            skipped=dict(plan.skipped),
            workflows=[
                ShareTold(
                    account_id=share.workflow.account.account_id,
                    workflow=share.workflow.name,
                    acted_on=share.acted_on,
                    skipped=share.skipped,
                )
                for share in plan.shares
            ],
            calls=plan.calls,
            seconds=plan.seconds,
            newest=newest,
            first=[
                FirstTold(**InstanceRow.facts(row, base), why_not=refusals[row.pk]) for row in rows
            ],
        )


class StageTold(Schema):
    stage: str
    at: datetime
    by: str = Field(description="Empty: by itself.")
    why: str

    @classmethod
    def of(cls, change: StageChange) -> Self:
        return cls(stage=change.stage, at=change.changed_at, by=change.by, why=change.note)


class ItemTold(Schema):
    """What became of it on one instance: `done` only once Cloudflare was seen to be there."""

    account_id: str
    workflow: str
    instance_id: str
    wave: int
    state: str
    note: str
    sent_at: datetime | None
    answered_at: datetime | None
    settled_at: datetime | None
    http_status: int | None
    code: int | None
    answer: Any
    seen: Any
    href: str

    @classmethod
    def of(cls, item: Item, base: str) -> Self:
        copied = (
            "instance_id", "wave", "state", "note", "sent_at", "answered_at", "settled_at",
            "http_status", "code",
        )  # fmt: skip
        return cls(
            **{name: getattr(item, name) for name in copied},
            account_id=item.workflow.account.account_id,
            workflow=item.workflow.name,
            answer=plain(item.answer),
            seen=plain(item.seen),
            href=base + item.instance_url,
        )


class Items(Schema):
    """`next` goes into `after`; empty at the end."""

    items: list[ItemTold]
    next: str


class OperationTold(Schema):
    """What somebody asked for. `counts`: how many instances are in which state; `is_live`: that
    may still change."""

    id: uuid.UUID
    kind: str
    words: str
    stage: str
    note: str
    reason: str
    asked_by: str
    asked_at: datetime
    is_bulk: bool
    is_live: bool
    account_id: str | None
    workflow: str | None = Field(description="null where it spans several.")
    list_query: str = Field(description="The address of the list that it was made from.")
    number: int
    counts: dict[str, int]
    href: str

    @classmethod
    def facts(cls, operation: Operation, base: str) -> dict[str, Any]:
        workflow = operation.workflow
        copied = (
            "id", "kind", "stage", "note", "reason", "asked_by", "is_bulk", "is_live",
            "list_query", "number", "counts",
        )  # fmt: skip
        return {name: getattr(operation, name) for name in copied} | {
            "words": operation.in_words,
            "asked_at": operation.requested_at,
            "account_id": workflow and workflow.account.account_id,
            "workflow": workflow and workflow.name,
            "href": base + operation.get_absolute_url(),
        }

    @classmethod
    def of(cls, operation: Operation, base: str) -> Self:
        return cls(**cls.facts(operation, base))


class Operations(Paged):
    operations: list[OperationTold]


class OneOperation(OperationTold):
    """An operation by itself. `is_repeat`: this key had been sent before, so nothing was sent now.
    `item`: what became of it, where it is on one instance; for many see its items."""

    as_of: datetime
    is_repeat: bool
    stages: list[StageTold]
    item: ItemTold | None
