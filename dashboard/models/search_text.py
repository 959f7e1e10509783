"""What can be searched of an instance beside its row: kept small, whatever its outputs weigh."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import models

from dashboard.cloudflare import types
from dashboard.models.storing import storable

#: Characters that are kept of each part; the rest of a long one is not searched.
LONGEST_ERROR = 2_000
LONGEST_STEPS = 6_000
LONGEST_BODY = 12_000


class SearchText(models.Model):
    """Error, step names, params and outputs of the detail that is held of an instance."""

    instance = models.OneToOneField(
        "dashboard.Instance", on_delete=models.CASCADE, primary_key=True, related_name="search_text"
    )
    error = models.TextField(default="")
    steps = models.TextField(default="")
    body = models.TextField(default="")

    def __str__(self) -> str:
        return f"search text of {self.instance_id}"


def searchable(detail: types.InstanceDetail) -> dict[str, str]:
    """The columns of SearchText for this detail, each at most so long."""
    return {
        "error": _cut([_error(detail.error)], LONGEST_ERROR),
        "steps": _cut(dict.fromkeys(step.name for step in detail.steps), LONGEST_STEPS),
        "body": _cut(_bodies(detail), LONGEST_BODY),
    }


def _bodies(detail: types.InstanceDetail) -> Iterator[str]:
    """What was given and what came out first; then what single steps say."""
    yield _text(detail.params)
    yield _text(detail.output)
    for step in detail.steps:
        yield _error(step.error)
        yield _text(step.output)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _error(error: types.ErrorDetail | None) -> str:
    return f"{error.name}: {error.message}" if error else ""


def _cut(parts: Iterable[str], longest: int) -> str:
    """The parts in lines, as many as fit; those behind are not even made."""
    lines: list[str] = []
    left = longest
    for part in parts:
        if left <= 0:
            break
        if part:
            lines.append(storable(part[:left]))
            left -= len(lines[-1]) + 1
    return "\n".join(lines)[:longest]
