"""Answers that are not quite what the pages say: unknown words, missing fields, paging gone wrong.

Each function changes the envelope in place; `memory` lasts as long as the fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .messages import Request

Json = dict[str, Any]
Mangler = Callable[[Json, Request, Json], None]


def _results(shape: Json) -> list[Json]:
    result = shape.get("result")
    items = result if isinstance(result, list) else [result]
    return [item for item in items if isinstance(item, dict)]


def _unknown_status(shape: Json, _request: Request, _memory: Json) -> None:
    for item in _results(shape):
        if "status" in item:
            item["status"] = "hibernating"


def _unknown_step(shape: Json, _request: Request, _memory: Json) -> None:
    for item in _results(shape):
        for step in item.get("steps", [])[:1]:
            step["type"] = "subworkflow"
        item.get("steps", []).append({"type": "checkpoint", "taken": True})


def _unknown_trigger(shape: Json, _request: Request, _memory: Json) -> None:
    for item in _results(shape):
        if "trigger_source" in item:
            item["trigger_source"] = "telepathy"
        if "trigger" in item:
            item["trigger"] = {"source": "telepathy"}


def _extra_fields(shape: Json, _request: Request, _memory: Json) -> None:
    for item in _results(shape):
        item["brand_new"] = {"since": 2027, "list": [1, None]}
    shape["trace"] = "0123"


def _missing_fields(shape: Json, _request: Request, _memory: Json) -> None:
    """Only what names the thing stays."""
    for item in _results(shape):
        for key in [k for k in item if k not in {"id", "name", "status", "steps"}]:
            del item[key]


def _null_fields(shape: Json, _request: Request, _memory: Json) -> None:
    for item in _results(shape):
        for key in [k for k in item if k not in {"id", "name", "status"}]:
            item[key] = None


def _no_result_info(shape: Json, _request: Request, _memory: Json) -> None:
    shape.pop("result_info", None)


def _duplicate_rows(shape: Json, _request: Request, memory: Json) -> None:
    """As if new instances had shifted the page: the last row comes again on the next."""
    rows = shape.get("result")
    if isinstance(rows, list) and rows:
        if "last" in memory:
            rows.insert(0, memory["last"])
        memory["last"] = rows[-1]


def _skipped_rows(shape: Json, request: Request, _memory: Json) -> None:
    if isinstance(shape.get("result"), list) and "cursor" in request.parameters():
        del shape["result"][:1]


def _repeating_cursor(shape: Json, request: Request, memory: Json) -> None:
    """The same cursor for ever, with the page behind it."""
    info = shape.get("result_info")
    if isinstance(info, dict):
        memory.setdefault("cursor", info.get("cursor") or request.parameters().get("cursor") or "x")
        info["cursor"] = memory["cursor"]


def _endless_cursor(shape: Json, _request: Request, memory: Json) -> None:
    """Never the last page: at the end the first cursor comes again."""
    info = shape.get("result_info")
    if isinstance(info, dict):
        first = memory.setdefault("cursor", info.get("cursor"))
        info["cursor"] = info.get("cursor") or first


MANGLERS: dict[str, Mangler] = {
    "unknown-status": _unknown_status,
    "unknown-step": _unknown_step,
    "unknown-trigger": _unknown_trigger,
    "extra-fields": _extra_fields,
    "missing-fields": _missing_fields,
    "null-fields": _null_fields,
    "no-result-info": _no_result_info,
    "duplicate-rows": _duplicate_rows,
    "skipped-rows": _skipped_rows,
    "repeating-cursor": _repeating_cursor,
    "endless-cursor": _endless_cursor,
}
