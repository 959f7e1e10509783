"""What the values of terms mean: times, lengths, numbers. ValueError is raised for what is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

UNITS = {
    "ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks",
}  # fmt: skip
_LENGTH = re.compile(r"(\d{1,6})(ms|[smhdw])")
_COMPARED = re.compile(r"(>=|<=|>|<|)(.*)", re.S)
_SECONDS = re.compile(r":\d\d:\d\d")


@dataclass(frozen=True)
class TimeRange:
    """From a moment on, and before another; None is open."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True)
class NumberRange:
    """Whole numbers from one up to another, both included; None is open."""

    least: int | None
    most: int | None


def is_length(text: str) -> bool:
    """True for a length of time such as 2h."""
    return _LENGTH.fullmatch(text) is not None


def time_range(text: str, now: datetime) -> TimeRange:
    """`>2h` is the last two hours and `<2h` all before; `2026-11-20` is that day, and can be
    compared with too, as can `2026-11-20T03:00`, `today` and `yesterday`. UTC without a zone."""
    operator, rest = _split(text)
    try:
        if found := _LENGTH.fullmatch(rest):
            begin = end = now - timedelta(**{UNITS[found[2]]: int(found[1])})
            operator = operator or ">="
        else:
            begin, end = _moment(rest, now)
    except OverflowError:
        raise ValueError(text) from None
    return {
        "": TimeRange(begin, end),
        ">": TimeRange(end, None),
        ">=": TimeRange(begin, None),
        "<": TimeRange(None, begin),
        "<=": TimeRange(None, end),
    }[operator]


def milliseconds(text: str) -> NumberRange:
    """`>10m`, `<=500ms`: a length must be compared with."""
    operator, rest = _split(text)
    found = _LENGTH.fullmatch(rest)
    if not found or not operator:
        raise ValueError(text)
    length = timedelta(**{UNITS[found[2]]: int(found[1])}) // timedelta(milliseconds=1)
    return _compared(operator, length)


def number(text: str) -> NumberRange:
    """`>3`, `<=3`, or `3` itself."""
    operator, rest = _split(text)
    if not re.fullmatch(r"[0-9]{1,9}", rest):
        raise ValueError(text)
    return _compared(operator, int(rest))


def _compared(operator: str, value: int) -> NumberRange:
    return {
        "": NumberRange(value, value),
        ">": NumberRange(value + 1, None),
        ">=": NumberRange(value, None),
        "<": NumberRange(None, value - 1),
        "<=": NumberRange(None, value),
    }[operator]


def _moment(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Where it begins and ends: a day, a minute or a second, as exactly as it was written."""
    if text in {"today", "yesterday"}:
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        begin = today - timedelta(days=text == "yesterday")
        return begin, begin + timedelta(days=1)
    found = datetime.fromisoformat(text)
    begin = found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    if len(text) <= len("2026-11-20"):
        return begin, begin + timedelta(days=1)
    is_exact = _SECONDS.search(text)
    return begin, begin + timedelta(seconds=1 if is_exact else 60)


def _split(text: str) -> tuple[str, str]:
    found = _COMPARED.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found[1], found[2].strip()
