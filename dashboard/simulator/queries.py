"""Query parameters and cursors of lists, with the refusals that the API gives for bad ones."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .clock import SECOND, to_ms
from .course import FOREVER
from .errors import bad_query
from .workflow import Query

STATUSES = (
    "queued",
    "running",
    "paused",
    "errored",
    "terminated",
    "complete",
    "waitingForPause",
    "waiting",
    "rollingBack",
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z")
Parameters = dict[str, str]


@dataclass(frozen=True)
class Paging:
    """`page` is None when paging by cursor."""

    page: int | None
    per_page: int


def paging(parameters: Parameters, default: int) -> Paging:
    """`page` and `per_page`."""
    page = number(parameters, "page", 1, None) if "page" in parameters else None
    per_page = number(parameters, "per_page", 1, 100) if "per_page" in parameters else default
    return Paging(page, per_page)


def number(parameters: Parameters, name: str, low: int, high: int | None) -> int:
    """A whole number within bounds."""
    text = parameters[name]
    try:
        value = int(text)
    except ValueError:
        raise bad_query(
            f'{name}: Expected query param to be number but received "{text}"'
        ) from None
    if value < low:
        raise bad_query(f"{name}: Too small: expected number to be >={low}")
    if high is not None and value > high:
        raise bad_query(f"{name}: Too big: expected number to be <={high}")
    return value


def choice(parameters: Parameters, name: str, options: tuple[str, ...]) -> str | None:
    """One of a few words, None when not given."""
    value = parameters.get(name)
    if value is not None and value not in options:
        expected = "|".join(f'"{option}"' for option in options)
        raise bad_query(f"{name}: Invalid option: expected one of {expected}")
    return value


def _date(parameters: Parameters, name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not _INSTANT.fullmatch(text):
        raise bad_query(f"{name}: Invalid ISO datetime")
    try:
        return to_ms(datetime.fromisoformat(text))
    except ValueError:
        raise bad_query(f"{name}: Invalid ISO datetime") from None


class Cursors:
    """Opaque, signed, bound to the filters they were given for, and good for a while."""

    def __init__(self, seconds: int, seed: int) -> None:
        self._lifetime, self._secret = seconds * SECOND, f"cursor {seed}".encode()

    def give(self, query: Query, scope: str, last: tuple[int, str] | None, now: int) -> str:
        """The cursor behind the row `last`."""
        direction = "desc" if query.descending else "asc"
        body = json.dumps([scope, _filters(query), direction, last, now]).encode()
        return base64.urlsafe_b64encode(self._sign(body) + body).decode()

    def read(
        self, cursor: str, scope: str, query: Query, now: int
    ) -> tuple[bool, tuple[int, str] | None]:
        """Direction (descending or not) and key of a cursor; refuses foreign and expired ones."""
        of, filters, direction, last, given = self._open(cursor)
        if of != scope or filters != _filters(query):
            raise bad_query("cursor: Cursor does not match the query")
        if now > given + self._lifetime:
            raise bad_query("cursor: Cursor has expired")
        return direction == "desc", (last[0], last[1]) if last else None

    def _open(self, cursor: str) -> list[Any]:
        try:
            raw = base64.urlsafe_b64decode(cursor.encode())
            body = json.loads(raw[8:])
        except (ValueError, binascii.Error):
            raise bad_query("cursor: Invalid cursor") from None
        if raw[:8] != self._sign(raw[8:]) or not isinstance(body, list):
            raise bad_query("cursor: Invalid cursor")
        return body

    def _sign(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._secret, digest_size=8).digest()


def _filters(query: Query) -> list[Any]:
    return [list(query.statuses), query.since, query.until]


def instance_query(
    parameters: Parameters, scope: str, cursors: Cursors, now: int, default: int
) -> tuple[Query, Paging]:
    """What "List of workflow instances" was asked for."""
    pages = paging(parameters, default)
    cursor = parameters.get("cursor")
    if cursor is not None and pages.page is not None:
        raise bad_query("'page' and 'cursor' are mutually exclusive")
    since, until = _date(parameters, "date_start", 0), _date(parameters, "date_end", FOREVER)
    if since > until:
        raise bad_query("'date_start' must not be after 'date_end'.")
    direction = choice(parameters, "direction", ("asc", "desc"))
    status = choice(parameters, "status", STATUSES)
    skip = (pages.page - 1) * pages.per_page if pages.page else 0
    query = Query(
        (status,) if status else (),
        since,
        until,
        direction != "asc",
        skip=skip,
        limit=pages.per_page,
    )
    if cursor:
        given, after = cursors.read(cursor, scope, query, now)
        descending = given if direction is None else direction == "desc"
        query = Query(query.statuses, since, until, descending, after, 0, pages.per_page)
    return query, pages
