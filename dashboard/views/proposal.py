"""What a batch of new instances would do, before anybody says yes to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from dashboard import connection, operations
from dashboard.models import Item, Operation, Workflow
from dashboard.models.operation import Stage

FIRST = 10
#: More of the params of one are not shown at once.
MOST_SHOWN = 300


@dataclass(frozen=True)
class ProposedRow:
    """One new instance as it would be created."""

    item: Item

    @property
    def arguments(self) -> dict[str, Any]:
        return self.item.arguments or {}

    @property
    def params(self) -> str:
        """As JSON, cut where it is long; "" when there are none."""
        params = self.arguments.get("params")
        text = "" if params is None else json.dumps(params, ensure_ascii=False)
        return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"

    @property
    def others(self) -> list[tuple[str, Any]]:
        """What else is asked for, as words and values."""
        names = {
            "success_retention": _("kept after success"),
            "error_retention": _("kept after an error"),
            "location_hint": _("location"),
        }
        return [
            (word, self.arguments[name]) for name, word in names.items() if name in self.arguments
        ]


class Proposal:
    """A batch that nobody has said yes to yet."""

    def __init__(self, operation: Operation, workflow: Workflow) -> None:
        self.operation, self.workflow = operation, workflow
        summary = operation.arguments
        self.number = summary.get("number", 0)
        self.made_up, self.known = summary.get("made_up", 0), summary.get("known", 0)

    @classmethod
    def of(cls, operation: Operation) -> Proposal | None:
        """That of the operation; None when it is none, or somebody has said yes."""
        is_one = operation.stage in {Stage.READING, Stage.PROPOSED} and operation.workflow
        return cls(operation, operation.workflow) if is_one and operation.workflow else None

    @property
    def is_ready(self) -> bool:
        return self.operation.stage == Stage.PROPOSED

    @property
    def why_not(self) -> str:
        """Why it cannot begin; "" when it can."""
        return operations.refusal_for_workflow(self.workflow)

    @property
    def given(self) -> int:
        """How many have an id of their own."""
        return int(self.number - self.made_up)

    @cached_property
    def cost(self) -> tuple[int, timedelta | None]:
        return operations.cost(self.workflow, self.number)

    @property
    def calls(self) -> int:
        return self.cost[0]

    @property
    def takes(self) -> timedelta | None:
        return self.cost[1]

    @property
    def target(self) -> str:
        """What it would be sent to, by name."""
        try:
            return connection.account_setting(self.workflow.account.account_id).target.title
        except connection.UnknownAccount:
            return "Cloudflare"

    @cached_property
    def first(self) -> list[ProposedRow]:
        """The first of them, in the order of the input."""
        return [ProposedRow(item) for item in self.operation.items.order_by("pk")[:FIRST]]
