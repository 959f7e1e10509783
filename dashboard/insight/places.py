"""One value out of a payload, by the path to it."""

from __future__ import annotations

import re
from typing import Any

from dashboard.cloudflare.types import InstanceDetail
from dashboard.insight.payload import preview

_PART = re.compile(r"\.([\w$-]+)|\[(\d+)\]")


def value_at(detail: InstanceDetail, path: str) -> str | None:
    """What stands at `params.customer.id` or `output.items[0]`, in one line; None for nothing."""
    root, rest = re.match(r"(params|output)(.*)", path, re.S).groups()  # type: ignore[union-attr]
    value: Any = detail.params if root == "params" else detail.output
    for name, index in _PART.findall(rest):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return None
    return None if value is None else preview(value)
