"""Many new instances as text: a JSON array, NDJSON or CSV, read row by row and never held whole."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from django import forms
from django.utils.translation import gettext as _

from dashboard.cloudflare import types
from dashboard.forms.json_text import DECODER, check_sendable, read_json, what_is_wrong
from dashboard.forms.new_instance import read_entry

#: Cloudflare takes params of 1 MiB; a row that is much longer is none.
LARGEST = 4 * 1024 * 1024
CHUNK = 256 * 1024
NOT_WHITE = re.compile(r"[^ \t\r\n]")
#: What stands between the first row and the columns of a table.
DELIMITERS = (",", ";", "\t")
RETENTIONS = ("success_retention", "error_retention")
COLUMNS = ("instance_id", "params", *RETENTIONS, "location_hint")
NESTED = "params."

csv.field_size_limit(LARGEST)


@dataclass(frozen=True)
class Row:
    """One new instance, its place among all and the line where it begins, both from 1."""

    number: int
    line: int
    new: types.NewInstance
    has_own_id: bool


@dataclass(frozen=True)
class Problem:
    """Why an instance cannot be; 0 where it is not known on which line, or which. `is_last`:
    nothing follows that could be read."""

    line: int
    sentence: str
    is_last: bool = False
    number: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.sentence
        told = {
            "line": f"{self.line:,}",
            "number": f"{self.number:,}",
            "sentence": self.sentence,
        }
        if self.number:
            return _("Line %(line)s, instance %(number)s: %(sentence)s") % told
        return _("Line %(line)s: %(sentence)s") % told


def read_rows(text: TextIO) -> Iterator[Row | Problem]:
    """Each row, or what is wrong with it. `text` is read from its beginning, with its line ends as
    they are."""
    try:
        text.seek(0)
        start = text.read(CHUNK).lstrip()[:1]
        text.seek(0)
        entries = _array(text) if start == "[" else _lines(text) if start == "{" else _table(text)
        for number, (line, entry) in enumerate(entries, start=1):
            if isinstance(entry, Problem):
                yield entry
            else:
                yield _row(number, line, entry)
    except UnicodeDecodeError as error:
        sentence = _("The file is not UTF-8: %(problem)s.") % {"problem": error.reason}
        yield Problem(0, sentence, is_last=True)


def _row(number: int, line: int, entry: Any) -> Row | Problem:
    try:
        new = read_entry(entry)
    except forms.ValidationError as error:
        return Problem(line, error.messages[0], number=number)
    return Row(number, line, new, has_own_id=bool(entry.get("instance_id")))


Entries = Iterator[tuple[int, Any]]


def _lines(text: TextIO) -> Entries:
    """NDJSON: one object on each line; empty lines are passed over."""
    number = 0
    while line := text.readline(LARGEST):
        number += 1
        if len(line) == LARGEST:
            yield number, Problem(number, _("This line is longer than 4 MiB."), is_last=True)
            return
        if not line.strip():
            continue
        try:
            yield number, read_json(line.strip())
        except forms.ValidationError as error:
            yield number, Problem(number, error.messages[0])


def _array(text: TextIO) -> Entries:
    """A JSON array, element by element."""
    array = _ArrayText(text)
    array.take("[")
    mark = array.following()
    while mark != "]":
        line = array.line
        try:
            value = array.element()
        except (ValueError, RecursionError) as error:
            at = line + array.lines_before(error)
            yield line, Problem(at, _why_no_element(error), is_last=True)
            return
        yield line, _sendable(line, value)
        mark = array.following()
        if mark not in {",", "]"}:
            missing = _("A comma or “]” is missing here.") if mark else _("The array does not end.")
            yield line, Problem(array.line, missing, is_last=True)
            return
        if mark == ",":
            array.take(",")
            array.following()
    array.take("]")
    if array.following():
        yield array.line, Problem(array.line, _("Something stands after the array."), is_last=True)


def _sendable(line: int, value: Any) -> Any:
    try:
        check_sendable(value)
    except forms.ValidationError as error:
        return Problem(line, error.messages[0])
    return value


def _why_no_element(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return _("This is not JSON: %(problem)s.") % {"problem": error.msg}
    return what_is_wrong(error)


class _ArrayText:
    """A text that is read piece by piece while its elements are taken from it."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.buffer, self.at, self.line = text, "", 0, 1

    def following(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            found = NOT_WHITE.search(self.buffer, self.at)
            self._pass(found.start() if found else len(self.buffer))
            if found:
                return found[0]
            if not self._read():
                return ""

    def take(self, mark: str) -> None:
        """Passes over this character, with the white space before it."""
        self.following()
        self.at += len(mark)

    def element(self) -> Any:
        """The next value; raises ValueError or RecursionError where none can be read."""
        while True:
            try:
                value, end = DECODER.raw_decode(self.buffer, self.at)
            except json.JSONDecodeError:
                # It may only be cut off by the end of what was read so far.
                if len(self.buffer) - self.at > LARGEST or not self._read():
                    raise
            else:
                self._pass(end)
                return value

    def lines_before(self, error: Exception) -> int:
        """How many line ends stand between the present place and that of the error."""
        place = error.pos if isinstance(error, json.JSONDecodeError) else self.at
        return self.buffer.count("\n", self.at, place)

    def _pass(self, end: int) -> None:
        self.line += self.buffer.count("\n", self.at, end)
        self.at = end

    def _read(self) -> bool:
        more = self.text.read(max(CHUNK, len(self.buffer) - self.at))
        self.buffer, self.at = self.buffer[self.at :] + more, 0
        return bool(more)


def _table(text: TextIO) -> Entries:
    """CSV with a row of heads; `params` holds JSON, `params.NAME` the text of one of its keys."""
    head = text.readline(LARGEST)
    delimiter = max(DELIMITERS, key=lambda mark: sum(map(_is_head, _cells(head, mark))))
    heads = _cells(head, delimiter)
    if problem := _wrong_heads(heads):
        yield 1, Problem(1, problem, is_last=True)
        return
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 2
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = _("This is not CSV: %(problem)s.") % {"problem": error}
            yield line, Problem(line, sentence, is_last=True)
            return
        if len(cells) > len(heads):
            told = {"cells": len(cells), "heads": len(heads)}
            sentence = _("There are %(cells)s cells for %(heads)s heads.") % told
            yield line, Problem(line, sentence)
        elif any(cell.strip() for cell in cells):
            yield line, _entry_of(line, dict(zip(heads, cells, strict=False)))
        line = reader.line_num + 2


def _cells(line: str, delimiter: str) -> list[str]:
    with suppress(csv.Error, StopIteration):
        cells = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter))
        return [cell.strip() for cell in cells]
    return []


def _is_head(name: str) -> bool:
    return name in COLUMNS or (name.startswith(NESTED) and name != NESTED)


def _wrong_heads(heads: list[str]) -> str:
    """Why no table can begin so; "" when it can."""
    unknown = [name for name in heads if not _is_head(name)]
    if unknown or not heads:
        told = {"columns": ", ".join(COLUMNS), "unknown": ", ".join(unknown)[:200]}
        if any(unknown):
            return (
                _(
                    "Write a JSON array, one JSON object on each line, or a table whose first line "
                    "names columns such as %(columns)s or params.NAME and not %(unknown)s."
                )
                % told
            )
        return (
            _(
                "Write a JSON array, one JSON object on each line, or a table whose first line "
                "names columns such as %(columns)s or params.NAME."
            )
            % told
        )
    if twice := sorted({name for name in heads if heads.count(name) > 1}):
        return _("These columns stand twice: %(columns)s.") % {"columns": ", ".join(twice)}
    if "params" in heads and any(name.startswith(NESTED) for name in heads):
        return _("Either one column params, or columns params.NAME: not both.")
    return ""


def _entry_of(line: int, cells: dict[str, str]) -> dict[str, Any] | Problem:
    """A row of a table as an entry of a batch; empty cells are not there."""
    given = {name: cell.strip() for name, cell in cells.items() if cell.strip()}
    entry: dict[str, Any] = {
        name: given[name] for name in ("instance_id", "location_hint") if name in given
    }
    if kept := {name: given[name] for name in RETENTIONS if name in given}:
        entry["instance_retention"] = kept
    if nested := {
        name.removeprefix(NESTED): cells[name] for name in given if name.startswith(NESTED)
    }:
        entry["params"] = nested
    if "params" in given:
        try:
            entry["params"] = read_json(given["params"])
        except forms.ValidationError as error:
            return Problem(line, f"params: {error.messages[0]}")
    return entry
