"""Files that are written while they are read, so that their size does not matter."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.http import StreamingHttpResponse

#: So many lines go out at once: each piece is a write to the network.
AT_ONCE = 500
#: A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_file(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A table; no cell of it is a formula to a spreadsheet."""
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(heading)
        for row in rows:
            yield writer.writerow([_cell(value) for value in row])

    return _download(lines(), f"{name}.csv", "text/csv; charset=utf-8")


def json_lines(name: str, rows: Iterable[dict[str, Any]]) -> StreamingHttpResponse:
    """One JSON object on each line."""
    lines = (f"{_json(row)}\n" for row in rows)
    return _download(lines, f"{name}.ndjson", "application/x-ndjson")


def json_file(
    name: str, head: dict[str, Any], key: str, rows: Iterable[dict[str, Any]]
) -> StreamingHttpResponse:
    """One JSON object: the head, and the rows in a list under the key."""

    def parts() -> Iterator[str]:
        yield f"{_json(head)[:-1]}, {_json(key)}: ["
        between = "\n"
        for row in rows:
            yield f"{between}{_json(row)}"
            between = ",\n"
        yield "\n]}\n"

    return _download(parts(), f"{name}.json", "application/json")


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = _json(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)


def _download(parts: Iterator[str], name: str, kind: str) -> StreamingHttpResponse:
    disposition = f'attachment; filename="{name}"'
    headers = {"Content-Disposition": disposition, "Content-Type": kind}
    pieces = iter(lambda: "".join(islice(parts, AT_ONCE)), "")
    return StreamingHttpResponse(pieces, headers=headers)
