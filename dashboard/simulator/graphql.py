"""As much of GraphQL as a query of the analytics needs: fields, arguments, variables, aliases."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\s*(?:#[^\n]*\s*)*([{}()\[\]:,!=]|\$?\w+|-\d+|"(?:[^"\\]|\\.)*"|$)')


class Malformed(ValueError):
    """The text is no query."""


@dataclass(frozen=True)
class Field:
    """A field that is asked for; `name` may stand under another name, its `alias`."""

    name: str
    alias: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()


def parse(text: str, variables: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of the one operation in a text, with the values of its variables put in."""
    reader = _Reader(text, variables)
    if reader.next == "query":
        reader.skip_head()
    fields = reader.selection()
    reader.take("")
    return fields


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self._text, self._variables, self._place = text, variables, 0
        self.next = ""
        self._advance()

    def _advance(self) -> str:
        before, match = self.next, _TOKEN.match(self._text, self._place)
        if match is None:
            raise Malformed(f"error parsing query at character {self._place}")
        self.next, self._place = match[1], match.end()
        return before

    def take(self, token: str) -> None:
        """Go past a token that has to be here."""
        if self.next != token:
            raise Malformed(f'error parsing query: expected "{token}", found "{self.next}"')
        self._advance()

    def skip_head(self) -> None:
        """Go past `query Name($a: string!, …)`; a variable's type is not looked at."""
        while self.next not in {"{", ""}:
            self._advance()

    def selection(self) -> tuple[Field, ...]:
        """`{ field … }`."""
        found = []
        self.take("{")
        while self.next != "}":
            found.append(self._field())
        self.take("}")
        return tuple(found)

    def _field(self) -> Field:
        name = alias = self._name()
        if self.next == ":":
            self._advance()
            name = self._name()
        arguments = self._pairs("(", ")") if self.next == "(" else {}
        return Field(name, alias, arguments, self.selection() if self.next == "{" else ())

    def _name(self) -> str:
        if not re.fullmatch(r"[A-Za-z_]\w*", self.next):
            raise Malformed(f'error parsing query: "{self.next}" is no name')
        return self._advance()

    def _pairs(self, opening: str, closing: str) -> dict[str, Any]:
        found = {}
        self.take(opening)
        while self.next != closing:
            name = self._name()
            self.take(":")
            found[name] = self._value()
            if self.next == ",":
                self._advance()
        self.take(closing)
        return found

    def _value(self) -> Any:
        if self.next == "{":
            return self._pairs("{", "}")
        if self.next == "[":
            return self._list()
        token = self._advance()
        if token.startswith("$"):
            return self._variables.get(token[1:])
        if token.startswith('"') or re.fullmatch(r"-?\d+|true|false|null", token):
            return json.loads(token)
        if not re.fullmatch(r"\w+", token):
            raise Malformed(f'error parsing query: "{token}" is no value')
        return token

    def _list(self) -> list[Any]:
        found = []
        self.take("[")
        while self.next != "]":
            found.append(self._value())
            if self.next == ",":
                self._advance()
        self.take("]")
        return found
