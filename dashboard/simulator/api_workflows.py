"""The operations on workflows and their versions, with the graph of a version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .chance import uuid_of
from .clock import duration_ms, instant, instant_or_none
from .context import Context
from .definition import Definition
from .errors import bad_body, no_version, no_workflow
from .graph import graph_of
from .messages import Response, succeed
from .population import Retention
from .queries import STATUSES
from .recipes.plain import plain, plain_params
from .workflow import Version, Workflow

Json = dict[str, Any]


def list_workflows(context: Context) -> Response:
    """GET …/workflows: `search` is a part of the name."""
    wanted = context.request.parameters().get("search", "")
    names = sorted(name for name in context.world.workflows if wanted in name)
    return context.pages([_workflow(context, context.workflow(name)) for name in names])


def get_workflow(context: Context, name: str) -> Response:
    """GET …/workflows/{name}."""
    return succeed(_workflow(context, context.workflow(name)))


def _workflow(context: Context, workflow: Workflow) -> Json:
    counts = workflow.counts(context.now)
    if context.old:
        counts["running"] = counts.get("running", 0) + counts.pop("rollingBack", 0)
    shape: Json = {
        "id": workflow.id,
        "name": workflow.name,
        "class_name": workflow.class_name,
        "script_name": workflow.script_name,
        "created_on": instant(workflow.created),
        "modified_on": instant(workflow.modified),
        "triggered_on": instant_or_none(workflow.last_triggered(context.now)),
        "instances": {
            s: counts.get(s, 0) for s in STATUSES if not context.old or s != "rollingBack"
        },
    }
    if not context.old:
        if workflow.schedules:
            period = workflow.definition.period
            tick = context.now - context.now % period + period
            shape["schedules"] = [
                {"cron": cron, "next_instance": instant(tick)} for cron in workflow.schedules
            ]
        if workflow.definition.script_deleted:
            shape["script_deleted"] = True
    return shape


def put_workflow(context: Context, name: str) -> Response:
    """PUT …/workflows/{name}: make one, or deploy a new version of it."""
    body = context.request.json()
    class_name, script_name = _text(body, "class_name"), _text(body, "script_name")
    if not 1 <= len(name) <= 64:
        raise bad_body("workflow_name: Invalid string")
    settings = _settings(body)
    workflow = context.world.workflows.get(name)
    if workflow is None:
        definition = Definition(
            name, script_name, class_name, plain, plain_params, eras=(), versions=()
        )
        workflow = context.world.add_workflow(definition)
    workflow.class_name, workflow.script_name = class_name, script_name
    workflow.schedules = [str(s.get("cron")) for s in body.get("schedules", [])]
    _deploy(workflow, settings, context.now)
    return succeed(_deployed(context, workflow))


def _deploy(workflow: Workflow, settings: Json, now: int) -> None:
    """A new version; its retention is that of the instances to come."""
    usual, wanted = workflow.definition.retention, settings.get("default_retention", {})
    retention = Retention(
        wanted.get("success_retention", usual.success), wanted.get("error_retention", usual.error)
    )
    workflow.definition = replace(workflow.definition, retention=retention)
    workflow.modified = now
    identity = uuid_of(workflow.id, "version", now, len(workflow.versions))
    workflow.versions.append(
        Version(identity, now, workflow.class_name, False, "javascript", settings)
    )


def _text(body: Any, key: str) -> str:
    text = body.get(key) if isinstance(body, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 255:
        raise bad_body(f"{key}: Invalid string")
    return text


def _settings(body: Json) -> Json:
    found: Json = {key: body[key] for key in ("concurrency", "limits") if body.get(key)}
    if body.get("default_retention"):
        try:
            found["default_retention"] = {
                k: duration_ms(v) for k, v in body["default_retention"].items()
            }
        except (KeyError, ValueError):
            raise bad_body("default_retention: Invalid duration") from None
    return found


def _deployed(context: Context, workflow: Workflow) -> Json:
    return {
        "id": workflow.id,
        "name": workflow.name,
        "class_name": workflow.class_name,
        "script_name": workflow.script_name,
        "created_on": instant(workflow.created),
        "modified_on": instant(workflow.modified),
        "triggered_on": instant_or_none(workflow.last_triggered(context.now)),
        "version_id": workflow.versions[-1].id,
        "is_deleted": 0,
        "terminator_running": 1 if workflow.terminates_at else 0,
    }


def delete_workflow(context: Context, name: str) -> Response:
    """DELETE …/workflows/{name}: the instances go with it."""
    if context.world.workflows.pop(name, None) is None:
        raise no_workflow()
    return succeed({"status": "ok", "success": True})


def list_versions(context: Context, name: str) -> Response:
    """GET …/workflows/{name}/versions: newest first."""
    workflow = context.workflow(name)
    deployed = reversed(workflow.deployed(context.now))
    return context.pages([_version(version, workflow) for version in deployed])


def get_version(context: Context, name: str, version_id: str) -> Response:
    """GET …/versions/{id}."""
    workflow = context.workflow(name)
    return succeed(_version(_find_version(workflow, version_id), workflow))


def get_graph(context: Context, name: str, version_id: str) -> Response:
    """GET …/versions/{id}/graph: null for a version without one."""
    workflow = context.workflow(name)
    version = _find_version(workflow, version_id)
    shape = {key: value for key, value in _version(version, workflow).items() if key in _GRAPH_KEYS}
    shape["graph"] = graph_of(workflow) if version.has_dag else None
    return succeed(shape)


_GRAPH_KEYS = frozenset({"id", "class_name", "created_on", "modified_on", "workflow_id"})


def _find_version(workflow: Workflow, version_id: str) -> Version:
    for version in workflow.versions:
        if version.id == version_id:
            return version
    raise no_version()


def _version(version: Version, workflow: Workflow) -> Json:
    retention = workflow.definition.retention
    return {
        "id": version.id,
        "class_name": version.class_name,
        "created_on": instant(version.created),
        "modified_on": instant(version.created),
        "workflow_id": workflow.id,
        "has_dag": version.has_dag,
        "language": version.language,
        "default_retention": {
            "success_retention": retention.success,
            "error_retention": retention.error,
        },
        "limits": {"steps": 10_000},
        **version.settings,
    }
