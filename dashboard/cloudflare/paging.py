"""Walking lists to their end, whatever the server says about pages.

An end is a missing, empty or repeated cursor, an empty page, or a page that shows only rows seen
before: `/accounts` and the local engine were seen to answer every page with the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from dashboard.cloudflare import values
from dashboard.cloudflare.errors import CursorExpired, Failed, Invalid
from dashboard.cloudflare.responses import Result
from dashboard.cloudflare.transport import Params

PER_PAGE = 100
Get = Callable[[Params], Result]


def by_page(get: Get, params: Params, *, key: str) -> Iterator[Result]:
    """Pages 1, 2, … until one is empty, has no new `key`, or is said to be the last or short."""
    seen: set[Any] = set()
    page = 1
    while True:
        result = get({**params, "per_page": PER_PAGE, "page": page})
        keys = _keys(result, key)
        if keys <= seen:
            return
        yield result
        seen |= keys
        if _is_said_to_be_last(result, page):
            return
        page += 1


def by_cursor(get: Get, params: Params, *, cursor: str | None = None) -> Iterator[Result]:
    """Pages from the first one, or from `cursor`, by each page's own cursor.

    Raises `CursorExpired` when a cursor is refused.
    """
    seen_cursors = {cursor or ""}
    result = _after(get, params, cursor) if cursor else _first(get, params)
    first = previous = _keys(result, "id")
    while values.items(result.value):
        yield result
        cursor = next_cursor(result)
        if cursor is None or cursor in seen_cursors:
            return
        seen_cursors.add(cursor)
        result = _after(get, params, cursor)
        keys = _keys(result, "id")
        # Comparing with two pages finds a list that never ends without remembering a million ids.
        if keys <= previous or keys <= first:
            return
        previous = keys


def next_cursor(result: Result) -> str | None:
    """The cursor of the following page; None when there is none, also for ""."""
    return values.text(result.info.get("cursor")) or None


def _first(get: Get, params: Params) -> Result:
    """The first page, newest first where the server lets us ask for that without a cursor."""
    try:
        return get({**params, "per_page": PER_PAGE, "direction": "desc"})
    except (Invalid, Failed) as error:
        if isinstance(error, Failed) and error.code != 10001:
            raise
        return get({**params, "per_page": PER_PAGE})


def _after(get: Get, params: Params, cursor: str) -> Result:
    try:
        return get({**params, "per_page": PER_PAGE, "cursor": cursor})
    except Invalid as error:
        message = "Cloudflare no longer knows this place in the list. Begin again with page one."
        raise CursorExpired(
            message, code=error.code, http_status=error.http_status, ray=error.ray
        ) from error


def _is_said_to_be_last(result: Result, page: int) -> bool:
    total_pages = values.integer(result.info.get("total_pages"))
    per_page = values.integer(result.info.get("per_page"))
    rows = len(values.items(result.value))
    return (total_pages is not None and page >= total_pages) or (
        per_page is not None and rows < per_page
    )


def _keys(result: Result, key: str) -> set[Any]:
    rows = values.items(result.value)
    try:
        return {*map(itemgetter(key), rows)}
    except (KeyError, TypeError):  # A row without it, or that is no object.
        return {values.text(row.get(key)) if isinstance(row, dict) else "" for row in rows}
