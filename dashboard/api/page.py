"""The page that lists what the API has, made from its own document."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dashboard.api.application import api
from dashboard.api.shapes import base_of
from dashboard.views.guards import own


@dataclass(frozen=True)
class Parameter:
    """What an endpoint can be told, as its document says."""

    name: str
    place: str
    is_required: bool
    shape: str
    words: str


@dataclass(frozen=True)
class Endpoint:
    """One thing that can be asked."""

    method: str
    path: str
    words: str
    parameters: list[Parameter]
    body: str
    shape: str


@require_safe
@own
def api_page(request: HttpRequest) -> HttpResponse:
    """Every endpoint by what it is about, and every shape."""
    document = api.get_openapi_schema()
    ctx = {
        "rooms": _rooms(document["paths"]),
        "shapes": _shapes(document["components"]["schemas"]),
        "base": base_of(request),
    }
    return render(request, "api/page.html", ctx)


def _rooms(paths: dict[str, Any]) -> dict[str, list[Endpoint]]:
    rooms: defaultdict[str, list[Endpoint]] = defaultdict(list)
    for path, methods in paths.items():
        for method, told in methods.items():
            rooms[told["tags"][0]].append(_endpoint(method.upper(), path, told))
    return dict(rooms)


def _endpoint(method: str, path: str, told: dict[str, Any]) -> Endpoint:
    good = next(one for status, one in told["responses"].items() if int(status) < 300)
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    return Endpoint(
        method,
        path,
        told.get("description", ""),
        [
            Parameter(
                one["name"],
                one["in"],
                one["required"],
                _shape(one["schema"]),
                one["schema"].get("description", ""),
            )
            for one in told.get("parameters", ())
        ],
        _shape(body["schema"]) if body else "",
        _shape(good["content"]["application/json"]["schema"]),
    )


def _shapes(schemas: dict[str, Any]) -> list[tuple[str, str, list[Parameter]]]:
    """Each shape by name, with what it says of itself and its fields."""
    return [
        (
            name,
            told.get("description", ""),
            [
                Parameter(
                    field,
                    "",
                    field in told.get("required", ()),
                    _shape(one),
                    one.get("description", ""),
                )
                for field, one in told.get("properties", {}).items()
            ],
        )
        for name, told in sorted(schemas.items())
    ]


def _shape(schema: dict[str, Any]) -> str:
    """A shape in few words: "list of Instances", "integer or null"."""
    if ref := schema.get("$ref"):
        return str(ref).rpartition("/")[2]
    if some := schema.get("anyOf"):
        return " or ".join(_shape(one) for one in some)
    if schema.get("type") == "array":
        return f"list of {_shape(schema['items'])}"
    if values := schema.get("enum"):
        return " or ".join(map(str, values))
    if of_each := schema.get("additionalProperties"):
        return f"{_shape(of_each)} by name" if isinstance(of_each, dict) else "object"
    if "const" in schema:
        return str(schema["const"])
    return {"date-time": "moment", "uuid": "uuid"}.get(
        schema.get("format", ""), str(schema.get("type", "any JSON"))
    )
