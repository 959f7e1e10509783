"""What differs between two JSON values, place by place; what is the same is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Any

from dashboard.insight import words
from dashboard.insight.payload import as_text

#: How many places are shown, and how much of each value.
PLACES = 200
LENGTH = 2_000
#: Deeper than this, two values are only told to differ.
DEPTH = 60
#: Stands for a value that is not there, which null is.
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Change:
    """`path` such as `items[3].price`; "" is the whole value. None: there is no such place."""

    path: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """`has_more`: there are more places than are shown."""

    shown: tuple[Change, ...] = ()
    has_more: bool = False

    def __bool__(self) -> bool:
        return bool(self.shown)


def json_changes(left: Any, right: Any) -> Changes:
    """The places where the values differ, in their order; lists are compared by position."""
    found = list(islice(_walk(left, right, "", DEPTH), PLACES + 1))
    return Changes(tuple(found[:PLACES]), has_more=len(found) > PLACES)


def _walk(left: Any, right: Any, path: str, depth: int) -> Iterator[Change]:
    if depth and isinstance(left, dict) and isinstance(right, dict):
        for name in [*left, *(name for name in right if name not in left)]:
            place = f"{path}.{name}" if path else str(name)
            yield from _walk(left.get(name, NOTHING), right.get(name, NOTHING), place, depth - 1)
    elif depth and isinstance(left, list) and isinstance(right, list):
        for index, (one, other) in enumerate(zip_longest(left, right, fillvalue=NOTHING)):
            yield from _walk(one, other, f"{path}[{index}]", depth - 1)
    elif type(left) is not type(right) or left != right:
        yield Change(words.cut(path, LENGTH), _shown(left), _shown(right))


def _shown(value: Any) -> str | None:
    if value is NOTHING:
        return None
    return words.cut(as_text(value), LENGTH)
