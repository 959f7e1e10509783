"""What a database column can hold of what Cloudflare may send: nothing here ever raises."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


def storable(text: str) -> str:
    """The text without NUL characters, which PostgreSQL cannot hold."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def storable_json(value: Any) -> Any:
    """The JSON value without NUL characters in its texts."""
    return json.loads(json.dumps(value).replace("\\u0000", "\\ufffd"))


def storable_facts(model: type[models.Model], facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, each text cut to its column: an unknown word may be longer than any known one."""
    return {name: _fit(model, name, value) for name, value in facts.items()}


def _fit(model: type[models.Model], name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    limit = getattr(model._meta.get_field(name), "max_length", None)
    return storable(value)[:limit]
