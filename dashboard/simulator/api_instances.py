"""The operations on instances. One function per operation of the official pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import actions, shape
from .clock import instant
from .context import Context
from .entries import Entry
from .errors import Refusal, bad_body, bad_query
from .messages import Response, succeed
from .plan import Stream
from .queries import choice, instance_query, number

TERMINABLE = ("queued", "running", "paused", "waitingForPause", "waiting")
ACTIONS = ("pause", "resume", "terminate", "restart")
TERMINATOR_MS = 2_000  # how long the asynchronous "terminate all" takes to begin


def list_instances(context: Context, name: str) -> Response:
    """GET …/instances: by cursor, or by page."""
    workflow = context.workflow(name)
    parameters = context.request.parameters()
    query, pages = instance_query(
        parameters, workflow.id, context.cursors, context.now, context.world.page_size
    )
    asked = query
    if context.old and query.statuses:
        if "rollingBack" in query.statuses:
            raise bad_query("status: Invalid option")
        if "running" in query.statuses:
            asked = replace(query, statuses=("running", "rollingBack"))
    page = workflow.page(replace(asked, lag=context.list_lag), context.now)
    info: dict[str, Any] = {
        "count": len(page.rows),
        "per_page": pages.per_page,
        "total_count": page.total,
    }
    if pages.page is not None:
        info |= {"page": pages.page, "total_pages": -(-page.total // pages.per_page)}
    elif page.more and page.rows:
        last = page.rows[-1]
        info["cursor"] = context.cursors.give(
            query, workflow.id, (last.created, last.id), context.now
        )
    rows = [shape.row(row, workflow.id, old=context.old) for row in page.rows]
    return succeed(rows, info=info)


def get_instance(context: Context, name: str, instance_id: str) -> Response:
    """GET …/instances/{id}: status and log."""
    parameters = context.request.parameters()
    order = choice(parameters, "order", ("asc", "desc"))
    simple = choice(parameters, "simple", ("true", "false"))
    instance = context.instance(name, instance_id)
    return succeed(
        shape.detail(
            instance,
            context.now,
            simple=simple == "true",
            descending=order == "desc",
            old=context.old,
        )
    )


def create_instance(context: Context, name: str) -> Response:
    """POST …/instances."""
    workflow = context.workflow(name)
    instance = actions.create(workflow, context.request.json(), context.now)
    return succeed(shape.created(instance, workflow.id, context.now, old=context.old))


def create_instances(context: Context, name: str) -> Response:
    """POST …/instances/batch: 1 to 100; ids in use are skipped without a word."""
    workflow = context.workflow(name)
    wanted = context.request.json()
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= 100:
        raise bad_body("Expected an array of 1 to 100")
    for item in wanted:
        actions.check(item)
    created = []
    for item in wanted:
        try:
            created.append(actions.create(workflow, item, context.now))
        except Refusal as refusal:
            if refusal.code != 10405:
                raise
    return succeed([shape.created(i, workflow.id, context.now, old=context.old) for i in created])


def delete_instances(context: Context, name: str) -> Response:
    """POST …/instances/batch/delete, as wrangler sends it: up to 100 ids."""
    workflow = context.workflow(name)
    body = context.request.json()
    wanted = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= 100:
        raise bad_body("instances: Expected an array of 1 to 100")
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for instance_id in map(str, wanted):
        try:
            actions.delete(workflow, instance_id, context.now)
            deleted.append({"id": instance_id})
        except Refusal as refusal:
            errors.append({"id": instance_id, "code": refusal.code, "message": refusal.message})
    return succeed({"deleted": deleted, "errors": errors})


def terminate_instances(context: Context, name: str) -> Response:
    """PUT …/instances/terminate: begins a moment later, and runs once at a time."""
    workflow = context.workflow(name)
    status = choice(context.request.parameters(), "status", TERMINABLE)
    if workflow.terminates_at:
        return succeed({"status": "already_running"})
    workflow.terminates_at = (context.now + TERMINATOR_MS, status)
    return succeed({"status": "ok"})


def get_step(context: Context, name: str, instance_id: str) -> Response:
    """GET …/instances/{id}/step: one output in full; streams as they are, without an envelope."""
    parameters = context.request.parameters()
    kind = choice(parameters, "type", ("step", "waitForEvent"))
    if kind is None or not parameters.get("name"):
        raise bad_query(f"{'name' if kind else 'type'}: Required")
    attempt = number(parameters, "attempt", 1, None) if "attempt" in parameters else None
    instance = context.instance(name, instance_id)
    entry = _find_step(instance.course.seen(context.now), kind, parameters["name"])
    if attempt is not None and attempt > len(entry.attempts):
        raise Refusal(404, 10400, "workflows.api.error.step.attempt_not_found")
    found = shape.step_output(entry, attempt, old=context.old)
    if isinstance(found, Stream):
        return Response(200, headers={"content-type": "application/octet-stream"}, stream=found)
    return succeed(found)


def _find_step(log: list[Entry], kind: str, name: str) -> Entry:
    for entry in log:
        if entry.kind == kind and entry.name == name:
            return entry
    raise Refusal(404, 10400, "workflows.api.error.step.not_found")


def change_status(context: Context, name: str, instance_id: str) -> Response:
    """PATCH …/instances/{id}/status: pause, resume, terminate, restart."""
    workflow = context.workflow(name)
    body = context.request.json()
    action = body.get("status") if isinstance(body, dict) else None
    if action not in ACTIONS:
        raise bad_body("Invalid input")
    if "rollback" in body and (action != "terminate" or not isinstance(body["rollback"], bool)):
        raise bad_body("'rollback' is only valid when terminating.")
    if action == "restart":
        target = _checked_target(body.get("from"))
        status = actions.restart(workflow, instance_id, context.now, target)
    else:
        rollback = bool(body.get("rollback"))
        status = actions.apply(workflow, instance_id, action, context.now, rollback=rollback)
    return succeed(
        {"status": shape.shown_status(status, old=context.old), "timestamp": instant(context.now)}
    )


def _checked_target(target: Any) -> dict[str, Any] | None:
    if target is None:
        return None
    if not isinstance(target, dict) or not isinstance(target.get("name"), str):
        raise bad_body("from: Invalid input")
    count, kind = target.get("count", 1), target.get("type", "do")
    name_fits = 1 <= len(target["name"]) <= 256
    if not name_fits or not isinstance(count, int) or count < 1 or kind not in actions.KINDS:
        raise bad_body("from: Invalid input")
    return target


def send_event(context: Context, name: str, instance_id: str, event_type: str) -> Response:
    """POST …/instances/{id}/events/{event_type}: any JSON as payload."""
    workflow = context.workflow(name)
    payload = context.request.json()
    if not 1 <= len(event_type) <= 100:
        raise bad_query("event_type: Invalid string")
    actions.send_event(workflow, instance_id, event_type, payload, context.now)
    if context.old:
        return succeed(None)
    return succeed({"instanceId": instance_id, "timestamp": instant(context.now)})
