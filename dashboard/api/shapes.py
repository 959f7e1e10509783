"""How the API writes what is the same in many answers."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Path, Query, Schema
from pydantic import Field

from dashboard.models.storing import LARGEST, storable

#: A value that is nested deeper cannot be written out.
DEEPEST = 100
UNWRITABLE = "(nested too deeply to be written out)"
#: What every endpoint may answer instead, and what most may.
ALWAYS = (401, 403, 405, 422, 429, 500, 503)

#: On a page of a list that has them.
PER_PAGE = 100

Row = TypeVar("Row", bound=Model)
Id = Annotated[int, Path(ge=1, le=LARGEST)]
PageNumber = Annotated[int, Query(ge=1, le=100_000, description="From 1.")]


class Paged(Schema):
    """A page of a list, by number; one past the last is empty."""

    as_of: datetime
    page: int
    pages: int
    total: int

    @staticmethod
    def facts(found: QuerySet[Row], page: int) -> tuple[list[Row], dict[str, Any]]:
        """The rows of the page, and what stands beside them."""
        pages = Paginator(found, PER_PAGE)
        rows = list(pages.page(page).object_list) if page <= pages.num_pages else []
        told = {"as_of": timezone.now(), "page": page, "pages": pages.num_pages}
        return rows, told | {"total": pages.count}


class Mistake(Schema):
    """One thing that does not fit: where it stands, and why."""

    where: str
    sentence: str


class Problem(Schema):
    """Why something cannot be, as RFC 9457 writes it."""

    type: str
    title: str
    status: int
    detail: str = Field(description="A sentence for people.")
    errors: list[Mistake]


class Who(Schema):
    """Who asks, and what they may."""

    user: str
    role: str
    token: str = Field(description="Its name; empty in a browser.")
    can_operate: bool
    expires_at: datetime | None


def answers(shape: Any, *also: int, status: int = 200) -> dict[int, Any]:
    """What an endpoint answers: the shape, or a problem with one of these statuses."""
    return {status: shape} | dict.fromkeys(sorted({*ALWAYS, *also}), Problem)


def base_of(request: HttpRequest) -> str:
    """What stands before the path in the whole address of a page."""
    return request.build_absolute_uri("/").removesuffix("/")


def plain(value: Any, depth: int = 0) -> Any:
    """A JSON value as every reader can take it: no half characters, no endless numbers, and not
    nested without end."""
    if depth > DEEPEST:
        return UNWRITABLE
    if isinstance(value, str):
        return storable(value) if not value.isprintable() else value
    if isinstance(value, dict):
        return {storable(str(name)): plain(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, depth + 1) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
