"""What a database column can hold of what Cloudflare may send: nothing here ever raises."""

from __future__ import annotations

import re
from typing import Any

from django.db import models

#: PostgreSQL holds neither NUL characters nor halves of one, and no page can be written with those.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: A word names something: nothing in it controls a page, and `bulk` may write between two words.
CONTROLS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
#: The largest whole number of a column in every database.
LARGEST = 2**63 - 1


def storable(text: str) -> str:
    """The text with a replacement character for each that a database cannot hold."""
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def word(text: str) -> str:
    """The text with a replacement character for each that has no place in a word."""
    return CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def storable_json(value: Any) -> Any:
    """The JSON value with such texts only, in keys too."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list | tuple):
        return [storable_json(one) for one in value]
    if isinstance(value, dict):
        return {storable(str(name)): storable_json(one) for name, one in value.items()}
    return value


def storable_facts(model: type[models.Model], facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, each cut to its column: an unknown word may be longer than any known one, and
    JSON knows larger numbers than a database."""
    return {name: _fit(model, name, value) for name, value in facts.items()}


def fits(model: type[models.Model], name: str, text: str) -> bool:
    """True when the column holds the text as it is. What names a row must not be cut."""
    return bool(_fit(model, name, text) == text)


def _fit(model: type[models.Model], name: str, value: Any) -> Any:
    column = model._meta.get_field(name)
    if isinstance(value, int):
        is_negative = value < 0 and isinstance(column, models.PositiveBigIntegerField)
        return None if is_negative else min(max(value, -LARGEST), LARGEST)
    if isinstance(value, list | dict):
        return storable_json(value)
    if not isinstance(value, str):
        return value
    if isinstance(column, models.CharField):
        return word(value)[: column.max_length]
    return storable(value)
