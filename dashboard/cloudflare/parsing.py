"""Cloudflare's JSON to our types, old and new shapes alike. Nothing here raises.

A missing, null or oddly typed field becomes its empty value; unknown words stay as they are; the
JSON itself is kept as `raw`. Follows the schemas of
<https://developers.cloudflare.com/api/resources/workflows/>.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from operator import ge
from typing import Any

from dashboard.cloudflare import values
from dashboard.cloudflare.log import step
from dashboard.cloudflare.responses import Result
from dashboard.cloudflare.types import (
    CreatedInstance,
    Deletion,
    Graph,
    Instance,
    InstanceDetail,
    InstancePage,
    Json,
    Rollback,
    Schedule,
    Status,
    StatusChange,
    Trigger,
    Version,
    Workflow,
)

#: A Durable Object's id, which stands where an instance's id belongs.
GHOST_ID = re.compile(r"[0-9a-f]{64}$")
#: The known words: asking the enumeration costs ten times as much, and lists have many rows.
STATUSES = {member.value: member for member in Status}
TRIGGERS = {member.value: member for member in Trigger}
#: Where a row without a time stands in a list that is newest first.
LAST = datetime.min.replace(tzinfo=UTC)


def status(value: Any) -> Status:
    """The status, verbatim; UNKNOWN when there is none."""
    word = values.text(value)
    return STATUSES.get(word) or Status(word or Status.UNKNOWN)


def trigger(row: Json) -> Trigger:
    """Why an instance began: `trigger_source` in lists, `trigger.source` in the detail."""
    source = row.get("trigger_source") or values.mapping(row.get("trigger")).get("source")
    word = values.text(source)
    return TRIGGERS.get(word) or Trigger(word or Trigger.UNKNOWN)


def workflow(value: Any) -> Workflow:
    """A workflow, of a list or alone."""
    row = values.mapping(value)
    counts = row.get("instances")
    return Workflow(
        name=values.text(row.get("name")),
        id=values.text(row.get("id")),
        class_name=values.text(row.get("class_name")),
        script_name=values.text(row.get("script_name")),
        created_on=values.instant(row.get("created_on")),
        modified_on=values.instant(row.get("modified_on")),
        triggered_on=values.instant(row.get("triggered_on")),
        counts=_counts(counts) if isinstance(counts, dict) else None,
        schedules=tuple(_schedule(entry) for entry in values.items(row.get("schedules"))),
        is_script_deleted=values.flag(row.get("script_deleted")) or False,
        raw=row,
    )


def _counts(counts: Json) -> dict[str, int]:
    numbers = {name: values.integer(count) for name, count in counts.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _schedule(value: Any) -> Schedule:
    row = values.mapping(value)
    return Schedule(values.text(row.get("cron")), values.instant(row.get("next_instance")))


def version(value: Any) -> Version:
    """A version, of a list or alone."""
    row = values.mapping(value)
    retention = values.mapping(row.get("default_retention"))
    return Version(
        id=values.text(row.get("id")),
        workflow_id=values.text(row.get("workflow_id")),
        class_name=values.text(row.get("class_name")),
        language=values.text(row.get("language")),
        has_dag=values.flag(row.get("has_dag")) or False,
        created_on=values.instant(row.get("created_on")),
        modified_on=values.instant(row.get("modified_on")),
        concurrency_limit=values.integer(values.mapping(row.get("concurrency")).get("limit")),
        step_limit=values.integer(values.mapping(row.get("limits")).get("steps")),
        success_retention=values.duration(retention.get("success_retention")),
        error_retention=values.duration(retention.get("error_retention")),
        raw=row,
    )


def graph(value: Any, version_id: str) -> Graph:
    """A version's diagram."""
    row = values.mapping(value)
    drawing = row.get("graph")
    return Graph(
        version_id=values.text(row.get("id")) or version_id,
        graph=drawing if isinstance(drawing, dict) else None,
    )


class _Row(Instance):  # noqa: PLW1641 -- no instance has a hash
    """A row of a list that reads most fields when they are first asked for.

    Lists have millions of rows, and most are only found to say what is known already.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """The field, for which nobody has asked yet."""
        if name not in _FIELDS:
            raise AttributeError(name)
        value = _FIELDS[name](self.raw)
        setattr(self, name, value)
        return value

    def __eq__(self, other: object) -> bool:
        names = ("id", "created_on", *_FIELDS)
        same = isinstance(other, Instance)
        return same and all(getattr(self, name) == getattr(other, name) for name in names)


#: How the fields of a list's row are read from it that not everybody needs.
_FIELDS: dict[str, Callable[[Json], Any]] = {
    "status": lambda row: status(row.get("status")),
    "modified_on": lambda row: values.instant(row.get("modified_on")),
    "started_on": lambda row: values.instant(row.get("started_on")),
    "ended_on": lambda row: values.instant(row.get("ended_on")),
    "version_id": lambda row: values.text(row.get("version_id")),
    "workflow_id": lambda row: values.text(row.get("workflow_id")),
    "trigger": trigger,
}
_unread = _Row.__new__


def instance(value: Any) -> Instance:
    """A row of a list."""
    row = _unread(_Row)
    row.raw = sent = value if type(value) is dict else {}
    name = sent.get("id")
    row.id = name if type(name) is str else values.text(name)
    row.created_on = values.instant(sent.get("created_on"))
    return row


def instance_detail(
    value: Any,
    *,
    outputs_are_text: bool,
    read_on: datetime | None = None,
    warning: str = "",
) -> InstanceDetail:
    """One instance with its steps; `outputs_are_text` as `values.output` explains."""
    row = values.mapping(value)
    steps = values.items(row.get("steps"))
    return InstanceDetail(
        status=status(row.get("status")),
        steps=tuple(
            step(entry, index, outputs_are_text=outputs_are_text)
            for index, entry in enumerate(steps)
        ),
        step_count=values.integer(row.get("step_count")),
        version_id=values.text(row.get("versionId") or row.get("version_id")),
        queued=values.instant(row.get("queued")),
        start=values.instant(row.get("start")),
        end=values.instant(row.get("end")),
        success=_success_of_instance(row),
        error=values.error_detail(row.get("error")),
        params=row.get("params"),
        output=values.output(row.get("output"), is_text=outputs_are_text),
        is_params_truncated=values.is_truncated(row.get("params")),
        is_output_truncated=values.is_truncated(row.get("output")),
        trigger=trigger(row),
        rollback=_rollback(row.get("rollback")),
        schedule=values.mapping(row.get("schedule")) or None,
        read_on=read_on,
        warning=warning,
        outputs_are_text=outputs_are_text,
        raw=row,
    )


def _success_of_instance(row: Json) -> bool | None:
    """Cloudflare's own word; the local engine has none, so there it follows from the status."""
    if "success" in row:
        return values.flag(row["success"])
    return {"complete": True, "errored": False}.get(values.text(row.get("status")))


def _rollback(value: Any) -> Rollback | None:
    row = values.mapping(value)
    if not row:
        return None
    return Rollback(values.text(row.get("outcome")), values.error_detail(row.get("error")))


def created_instance(value: Any) -> CreatedInstance:
    """The answer to a creation."""
    row = values.mapping(value)
    return CreatedInstance(
        id=values.text(row.get("id")),
        status=status(row.get("status")),
        version_id=values.text(row.get("version_id")),
        workflow_id=values.text(row.get("workflow_id")),
        raw=row,
    )


def created_instances(value: Any) -> list[CreatedInstance]:
    """The instances of a batch: an array, or `created` as the binding answers since 2026."""
    rows = value if isinstance(value, list) else values.items(values.mapping(value).get("created"))
    return [created_instance(row) for row in rows]


def status_change(value: Any) -> StatusChange:
    """The answer to an action."""
    row = values.mapping(value)
    return StatusChange(status(row.get("status")), values.instant(row.get("timestamp")), raw=row)


def deletion(value: Any) -> Deletion:
    """The answer to a deletion, instance by instance."""
    row = values.mapping(value)
    deleted = (values.mapping(entry).get("id") for entry in values.items(row.get("deleted")))
    failures = [values.mapping(entry) for entry in values.items(row.get("errors"))]
    return Deletion(
        deleted=tuple(values.text(entry) for entry in deleted if entry),
        errors={
            values.text(entry.get("id")): f"{values.text(entry.get('message'))} "
            f"({values.text(entry.get('code'))})"
            for entry in failures
        },
    )


def instance_page(result: Result, *, drop_ghosts: bool) -> InstancePage:
    """One page of a list, newest first; `drop_ghosts` where the target makes ghost rows."""
    rows = [instance(row) for row in values.items(result.value)]
    if drop_ghosts:
        rows = [row for row in rows if not is_ghost(row)]
    created = [row.created_on for row in rows if row.created_on]
    is_sorted = len(created) == len(rows) and all(map(ge, created, created[1:]))
    return InstancePage(
        instances=tuple(rows if is_sorted else sorted(rows, key=_created, reverse=True)),
        cursor=values.text(result.info.get("cursor")) or None,
        total_count=values.integer(result.info.get("total_count")),
        is_sorted=is_sorted,
    )


def is_ghost(row: Instance) -> bool:
    """The empty object that asking for a missing instance leaves behind in the local engine."""
    return row.status is Status.UNKNOWN and row.created_on is None and bool(GHOST_ID.match(row.id))


def is_instance_detail(value: Any) -> bool:
    """Whether this is complete enough to be shown although Cloudflare said it failed."""
    return (
        isinstance(value, dict)
        and bool(values.text(value.get("status")))
        and (
            isinstance(value.get("steps"), list)
            or values.integer(value.get("step_count")) is not None
        )
    )


def _created(row: Instance) -> datetime:
    return row.created_on or LAST
