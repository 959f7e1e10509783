"""What is sent: request bodies, refused here when Cloudflare would refuse them anyway."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dashboard.cloudflare.errors import Invalid, Unsupported
from dashboard.cloudflare.targets import Target
from dashboard.cloudflare.types import Action, Json, NewInstance, RestartFrom

#: The most instances one batch may hold.
BATCH_SIZE = 100


def new_instance(new: NewInstance, target: Target, *, as_text: bool) -> Json:
    """The body of a new instance in the target's spelling; `as_text`: params as JSON text."""
    body: Json = {target.create_key: new.id} if new.id else {}
    if new.params is not None:
        body["params"] = _as_text(new.params) if as_text else new.params
    retention = _given(success_retention=new.success_retention, error_retention=new.error_retention)
    if (retention or new.location_hint) and not target.has_instance_retention:
        message = f"{target.title} has no retention and no location per instance."
        raise Unsupported(message, was_sent=False)
    if retention:
        body["instance_retention"] = retention
    if new.location_hint:
        body["location_hint"] = new.location_hint
    return body


def new_instances(batch: Sequence[NewInstance], target: Target, *, as_text: bool) -> list[Json]:
    """The body of a batch of 1 to 100 new instances."""
    _require_batch(batch)
    return [new_instance(new, target, as_text=as_text) for new in batch]


def status_change(action: Action, *, rollback: bool, restart_from: RestartFrom | None) -> Json:
    """The body that asks for an action, which the API calls `status`."""
    body: Json = {"status": action.value}
    if rollback:
        if action is not Action.TERMINATE:
            raise Invalid("Only terminating can roll back.", was_sent=False)
        body["rollback"] = True
    if restart_from:
        if action is not Action.RESTART:
            raise Invalid("Only a restart begins at a step.", was_sent=False)
        body["from"] = _given(
            name=restart_from.name, count=restart_from.count, type=restart_from.type
        )
    return body


def deletion(instance_ids: Sequence[str]) -> Json:
    """The body that deletes 1 to 100 instances."""
    _require_batch(instance_ids)
    return {"instances": list(instance_ids)}


def _given(**values: Any) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _as_text(params: Any) -> str:
    try:
        return json.dumps(params, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid("The params cannot be written as JSON.", was_sent=False) from error


def _require_batch(batch: Sequence[object]) -> None:
    if not 1 <= len(batch) <= BATCH_SIZE:
        raise Invalid(f"A batch holds 1 to {BATCH_SIZE} instances.", was_sent=False)
