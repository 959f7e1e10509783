"""One row of a list of instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from dashboard.cloudflare.types import Status
from dashboard.models import by_hand
from dashboard.models.addresses import instance_address, workflow_address
from dashboard.models.operation import OPEN_STATES, State


@dataclass(slots=True)
class ListRow:
    """What a list tells of an instance, of its workflow and of its account, named as in `Instance`.

    Plain values: a page has fifty rows, and to make a model of each costs more than all else.
    `account_id` is Cloudflare's. The retentions are those of its version, None where that is not
    known; `item_id`: what is being done to it, or still to be done. `is_match` is False where a
    list shows it again although it no longer fits what was asked for.
    """

    pk: int
    workflow_id: int
    workflow_name: str
    account_id: str
    account_name: str
    instance_id: str
    status: str
    version_id: str
    trigger: str
    created_on: datetime
    started_on: datetime | None
    ended_on: datetime | None
    duration_ms: int | None
    error_name: str
    error_message: str
    generation: int
    seen_at: datetime
    read_at: datetime | None
    expired_at: datetime | None
    phase: str
    current_step: str
    attempts: int | None
    due_on: datetime | None
    error_group_id: int | None
    at_work_on: datetime | None
    expected_by: datetime | None
    success_retention: str | None
    error_retention: str | None
    item_id: int | None
    is_match: bool = True

    def get_absolute_url(self) -> str:
        return instance_address(self.account_id, self.workflow_name, self.instance_id)

    @property
    def workflow_href(self) -> str:
        return workflow_address(self.account_id, self.workflow_name)

    @property
    def is_finished(self) -> bool:
        return Status(self.status).is_finished

    @property
    def is_live(self) -> bool:
        """True while it may change by itself and Cloudflare still holds it."""
        return not self.is_finished and self.expired_at is None

    @property
    def restarts(self) -> int:
        """How often it was seen to begin anew."""
        return self.generation - 1

    @property
    def error_line(self) -> str:
        """Its error in one line; "" when it has none."""
        first = self.error_message.strip().partition("\n")[0]
        return ": ".join(part for part in (self.error_name, first) if part)


_COLUMNS = {
    "pk": "instance.id",
    "workflow_name": "workflow.name",
    "account_id": "account.account_id",
    "account_name": "account.name",
    "success_retention": "version.success_retention",
    "error_retention": "version.error_retention",
    "item_id": "(SELECT max(item.id) FROM dashboard_item AS item "
    "WHERE item.instance_id = instance.instance_id "
    "AND item.workflow_id = instance.workflow_id AND item.state IN {})",
}
_FIELDS = [field.name for field in fields(ListRow) if field.name != "is_match"]
_TIMES = [place for place, name in enumerate(_FIELDS) if name.endswith(("_on", "_at", "_by"))]
_SELECTED = ", ".join(_COLUMNS.get(name, f"instance.{name}") for name in _FIELDS)
_ROWS = f"""
    SELECT {_SELECTED}
    FROM dashboard_instance AS instance
    JOIN dashboard_workflow AS workflow ON workflow.id = instance.workflow_id
    JOIN dashboard_account AS account ON account.id = workflow.account_id
    LEFT JOIN dashboard_version AS version
        ON version.workflow_id = instance.workflow_id AND version.version_id = instance.version_id
    WHERE instance.id IN {{}}
"""  # noqa: S608  (made of the names above)


def list_rows(keys: Sequence[int]) -> list[ListRow]:
    """Those with these primary keys, in this order, as far as they are still there."""
    if not keys:
        return []
    found = {}
    for told in by_hand.rows(_ROWS, (State.PENDING, *OPEN_STATES), keys):
        values = list(told)
        for place in _TIMES:
            if values[place]:
                values[place] = by_hand.moment(values[place])
        found[values[0]] = ListRow(*values)
    return [found[key] for key in keys if key in found]
