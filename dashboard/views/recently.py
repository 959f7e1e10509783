"""What takes long is worked out at most once in a minute, and pages say when that was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from django.core.cache import cache

KEPT_FOR = timedelta(minutes=1)
Value = TypeVar("Value")


def worked_out(key: str, now: datetime, work: Callable[[], Value]) -> tuple[datetime, Value]:
    """What the work gives, or gave less than a minute ago under this key; and when."""
    found: tuple[datetime, Value] | None = cache.get(key)
    if found is None or not timedelta() <= now - found[0] < KEPT_FOR:
        found = now, work()
        cache.set(key, found, KEPT_FOR.total_seconds())
    return found
