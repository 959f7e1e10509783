"""Durations: as Cloudflare writes them, and as people read them."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "ms": 1,
    "millisecond": 1,
    "s": 1000,
    "sec": 1000,
    "second": 1000,
    "m": 60_000,
    "min": 60_000,
    "minute": 60_000,
    "h": 3_600_000,
    "hour": 3_600_000,
    "d": 86_400_000,
    "day": 86_400_000,
    "w": 7 * 86_400_000,
    "week": 7 * 86_400_000,
    "month": 30 * 86_400_000,
    "year": 365 * 86_400_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)\.?\s*,?\s*")


def duration(value: str | float | None) -> timedelta | None:
    """What Cloudflare's `10 seconds`, `1 hour 30 minutes`, `500` or 500 (milliseconds) means.

    None for what cannot be told: nothing, `[dynamic]`, a unit we do not know.
    """
    if value is None or isinstance(value, bool):
        return None
    total = float(value) if isinstance(value, int | float) else _milliseconds(value)
    try:
        return None if total is None else timedelta(milliseconds=total)
    except (OverflowError, ValueError):
        return None


def _milliseconds(text: str) -> float | None:
    text = text.strip().lower()
    total, position = 0.0, 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            return None
        number, unit = part.groups()
        factor = _UNITS.get(unit or "ms") or _UNITS.get(unit.removesuffix("s"))
        if factor is None:
            return None
        total += float(number) * factor
        position = part.end()
    return total if text else None


def spoken(delta: timedelta | None) -> str:
    """The duration in at most two units: `340 ms`, `1.2 s`, `4 m 05 s`, `1 h 58 m`, `30 d 00 h`.

    A negative one is 0 ms: it comes from two clocks, not from the past.
    """
    if delta is None:
        return ""
    milliseconds = max(0, round(delta.total_seconds() * 1000))
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 10_000 and milliseconds % 1000:
        return f"{milliseconds // 100 / 10:.1f} s"
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60:02} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds // 60 % 60:02} m"
    return f"{seconds // 86400:,} d {seconds // 3600 % 24:02} h"


def short(delta: timedelta) -> str:
    """The same for a narrow place, without a second unit that says nothing: `5 m`, `30 d`."""
    return spoken(delta).removesuffix(" 00 s").removesuffix(" 00 m").removesuffix(" 00 h")
