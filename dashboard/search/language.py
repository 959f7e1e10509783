"""`status:errored,running -trigger:cron "connection refused"`, read and written.

A term is a word, or a key and its values; `-` before it excludes. Quotation marks hold what has
spaces, commas or a colon in it; inside them a backslash stands before a mark or a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Self

_KEY = re.compile(r"([A-Za-z]+):")
_BARE_WORD = re.compile(r"\S+")
_BARE_VALUE = re.compile(r"[^\s,]+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)("|\\?\Z)', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)


@dataclass(frozen=True)
class Problem:
    """What does not fit, in one sentence, and where in the text it stands."""

    sentence: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Term:
    """A word (`key` is ""), or a key with its values: any of them. `start` and `end`: its place in
    the text it was read from."""

    key: str
    values: tuple[str, ...]
    is_excluded: bool = False
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def with_values(self, values: Iterable[str]) -> Self:
        return replace(self, values=(*self.values, *values))

    def __str__(self) -> str:
        dash = "-" if self.is_excluded else ""
        if not self.key:
            return dash + _written_word(self.values[0])
        return f"{dash}{self.key}:{','.join(map(written_value, self.values))}"


@dataclass(frozen=True)
class Query:
    """Terms that must all hold. `str` writes them so that `parse` reads the same again."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def values(self, key: str, *, is_excluded: bool = False) -> tuple[str, ...]:
        """The values of a key, over all its terms."""
        return tuple(
            value
            for term in self.terms
            if term.key == key and term.is_excluded == is_excluded
            for value in term.values
        )

    def toggled(self, key: str, value: str, *, is_excluded: bool = False) -> Self:
        """With this value of the key if it is not there, else without it; never wanted and
        excluded at once."""
        values = self.values(key, is_excluded=is_excluded)
        rest = self._without_value(key, value)
        if value in values:
            return rest
        for place, term in enumerate(rest.terms):
            if term.key == key and term.is_excluded == is_excluded:
                more = term.with_values([value])
                return replace(rest, terms=(*rest.terms[:place], more, *rest.terms[place + 1 :]))
        return rest.also(Term(key, (value,), is_excluded))

    def also(self, *terms: Term) -> Self:
        return replace(self, terms=(*self.terms, *terms))

    def without(self, *keys: str) -> Self:
        return replace(self, terms=tuple(term for term in self.terms if term.key not in keys))

    def _without_value(self, key: str, value: str) -> Self:
        kept = (
            replace(term, values=tuple(other for other in term.values if other != value))
            if term.key == key and value in term.values
            else term
            for term in self.terms
        )
        return replace(self, terms=tuple(term for term in kept if term.values or term.key != key))


def parse(text: str, gettext: Callable[[str], str] = str) -> tuple[Query, list[Problem]]:
    """Every text is a query; what was written wrongly is said beside it, in the language of
    `gettext`."""
    reader = _Reader(text, gettext)
    return Query(tuple(reader.terms())), reader.problems


class _Reader:
    """Goes through the text once."""

    def __init__(self, text: str, gettext: Callable[[str], str]) -> None:
        self.text = text
        self.gettext = gettext
        self.at = 0
        self.problems: list[Problem] = []

    def terms(self) -> Iterator[Term]:
        while self._skip_spaces():
            start = self.at
            is_excluded = self._is_dash()
            if found := _KEY.match(self.text, self.at):
                self.at = found.end()
                key, values = found[1].lower(), tuple(self._values())
            else:
                key, values = "", tuple(filter(None, [self._one(_BARE_WORD)]))
            if key or values:
                yield Term(key, values, is_excluded, start, self.at)

    def _skip_spaces(self) -> bool:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def _is_dash(self) -> bool:
        """A dash excludes what stands right behind it; alone it is a word."""
        rest = self.text[self.at : self.at + 2]
        if len(rest) < 2 or rest[0] != "-" or rest[1].isspace():
            return False
        self.at += 1
        return True

    def _values(self) -> Iterator[str]:
        while True:
            if value := self._one(_BARE_VALUE):
                yield value
            if self.text[self.at : self.at + 1] != ",":
                return
            self.at += 1

    def _one(self, bare: re.Pattern[str]) -> str:
        """A quoted text or a bare one from here on; "" where neither stands."""
        if found := _QUOTED.match(self.text, self.at):
            if not found[2].startswith('"'):
                sentence = self.gettext("The quotation mark before “%(text)s” is not closed.")
                sentence %= {"text": found[1][:20]}
                self.problems.append(Problem(sentence, self.at, found.end()))
            self.at = found.end()
            return _ESCAPED.sub(r"\1", found[1])
        if found := bare.match(self.text, self.at):
            self.at = found.end()
            return found[0]
        return ""


def _written_word(word: str) -> str:
    is_plain = (
        _BARE_WORD.fullmatch(word) and not word.startswith(('"', "-")) and not _KEY.match(word)
    )
    return word if is_plain or word == "-" else _quoted(word)


def written_value(value: str) -> str:
    """A value as it stands behind its key: quoted where it has to be."""
    is_plain = _BARE_VALUE.fullmatch(value) and not value.startswith('"')
    return value if is_plain else _quoted(value)


def _quoted(text: str) -> str:
    marked = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{marked}"'


def joined(key: str, values: Iterable[str]) -> tuple[Term, ...]:
    """One term of these values, or none where there are none."""
    kept = tuple(value for value in values if value)
    return (Term(key, kept),) if kept else ()
