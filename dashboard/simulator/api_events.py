"""POST /graphql: `workflowsAdaptive`, with the envelope and the errors of "GraphQL Analytics API".

What the real one has besides (other datasets, groups, other filters) is an unknown field here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .clock import SECOND, instant, to_ms
from .context import Context
from .errors import Refusal
from .feed import KEPT, Event
from .graphql import Field, Malformed, parse
from .messages import Response, respond

LARGEST_PAGE = 10_000
_DATASET = ["viewer", "accounts", "0", "workflowsAdaptive"]
_COLUMNS: dict[str, Callable[[Event], Any]] = {
    "datetime": lambda event: instant(event.second)[:19] + "Z",
    "eventType": lambda event: event.what.kind,
    "workflowName": lambda event: event.workflow,
    "instanceId": lambda event: event.instance,
    "stepName": lambda event: event.what.step,
    "stepCount": lambda event: event.what.number,
    "wallTime": lambda event: event.what.wall_time,
}
_FILTERS = {"datetime_geq", "datetime_leq", "eventType_in", "workflowName", "instanceId"}


class _Error(Exception):
    """What becomes one entry of `errors`."""

    def __init__(self, message: str, path: list[str] | None = None, *, status: int = 200) -> None:
        super().__init__(message)
        self.message, self.path, self.status = message, path, status


def query(context: Context) -> Response:
    """POST /graphql."""
    refused = context.feed.limit.spend(context.grant.name, context.now)
    if refused:
        words = "rate limiter budget depleted, try again after 5 minutes"
        response = _refuse(context, _Error(words, status=429))
        response.headers["retry-after"] = refused.headers["retry-after"]
        return response
    try:
        return respond(200, {"data": _data(context), "errors": None})
    except _Error as error:
        return _refuse(context, error)


def _refuse(context: Context, error: _Error) -> Response:
    shape = {
        "message": error.message,
        "path": error.path,
        "extensions": {"timestamp": instant(context.now)},
    }
    return respond(error.status, {"data": None, "errors": [shape]})


def _data(context: Context) -> dict[str, Any]:
    try:
        body = context.request.json()
        viewers = parse(str(body["query"]), body.get("variables") or {})
    except (Malformed, Refusal, KeyError, TypeError, AttributeError) as error:
        raise _Error(str(error) or "error parsing body", status=400) from None
    return {viewer.alias: _viewer(context, viewer) for viewer in viewers}


def _viewer(context: Context, viewer: Field) -> dict[str, Any]:
    _expect(viewer, {"viewer"})
    return {one.alias: [_account(context, one)] for one in viewer.fields}


def _account(context: Context, account: Field) -> dict[str, Any]:
    _expect(account, {"accounts"})
    tag = (account.arguments.get("filter") or {}).get("accountTag")
    if tag != context.world.account_id or not context.grant.analytics:
        raise _Error("not authorized for that account", ["viewer", "accounts"])
    return {one.alias: _rows(context, one) for one in account.fields}


def _rows(context: Context, dataset: Field) -> list[dict[str, Any]]:
    _expect(dataset, {"workflowsAdaptive"})
    for column in dataset.fields:
        _expect(column, set(_COLUMNS))
    limit = dataset.arguments.get("limit")
    if not isinstance(limit, int) or not 0 < limit <= LARGEST_PAGE:
        words = f"limit must be positive number and not greater than {LARGEST_PAGE}"
        raise _Error(words, _DATASET)
    if dataset.arguments.get("orderBy") not in (["datetime_ASC"], ["datetime_DESC"]):
        raise _Error("error parsing args: unknown enum value in orderBy", _DATASET)
    found = _found(context, dataset.arguments.get("filter") or {})
    if dataset.arguments["orderBy"] == ["datetime_DESC"]:
        found.reverse()
    return [
        {column.alias: _COLUMNS[column.name](event) for column in dataset.fields}
        for event in found[:limit]
    ]


def _found(context: Context, given: dict[str, Any]) -> list[Event]:
    if unknown := given.keys() - _FILTERS:
        raise _Error(f'error parsing args: unknown arg "{min(unknown)}"', _DATASET)
    since, until = _time(given, "datetime_geq"), _time(given, "datetime_leq")
    if since < context.now - KEPT:
        raise _Error(f"cannot request data older than {KEPT // SECOND}s", _DATASET)
    kinds = frozenset(given["eventType_in"]) if "eventType_in" in given else None
    name, instance_id = given.get("workflowName"), given.get("instanceId")
    homes = [w for w in context.world.workflows.values() if name in {None, w.name}]
    for workflow in homes:
        workflow.advance(context.now)
    events = context.feed.events(homes, since, until, context.now, kinds)
    return [event for event in events if instance_id in {None, event.instance}]


def _time(given: dict[str, Any], name: str) -> int:
    try:
        return to_ms(datetime.fromisoformat(given[name]))
    except (KeyError, TypeError, ValueError):
        raise _Error(f"error parsing args: {name} is no Time", _DATASET) from None


def _expect(found: Field, known: set[str]) -> None:
    if found.name not in known:
        raise _Error(f'unknown field "{found.name}"', status=400)
