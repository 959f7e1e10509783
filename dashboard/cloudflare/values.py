"""Single values as Cloudflare sends them; what cannot be read is empty. Only `loads` raises."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

from dashboard.cloudflare.types import ErrorDetail, Json

#: How the engines mark a value they cut; it stands at the end of the text.
TRUNCATION_MARK = "[truncated output]"


def mapping(value: Any) -> Json:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """`value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """`value` if it is text; a number as text; else ""."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def integer(value: Any) -> int | None:
    """A whole number, also one written as text or as 3.0; else None."""
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def flag(value: Any) -> bool | None:
    """True or False; 0 and 1 count, because some answers carry them; else None."""
    if isinstance(value, bool):
        return value
    return bool(value) if value in (0, 1) and isinstance(value, int) else None


def duration(value: Any) -> Any:
    """Milliseconds, or a text such as "10 seconds", as sent; else None."""
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def instant(value: Any) -> datetime | None:
    """An aware UTC datetime from ISO 8601 (`Z`, an offset, or neither: then UTC) or epoch ms."""
    try:
        if isinstance(value, str):
            if value[-1:] == "Z":  # The usual shape: lists hold four in each row.
                return datetime.fromisoformat(value)
            moment = datetime.fromisoformat(value.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        number = _number(value)
        return None if number is None else datetime.fromtimestamp(number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def instant_as_text(moment: datetime) -> str:
    """`2026-11-20T23:38:34.594Z`: the API wants UTC and refuses an offset, even +00:00."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def error_detail(value: Any) -> ErrorDetail | None:
    """`{name, message}`; a bare text becomes the message; null, "" and {} mean no error."""
    if not value:
        return None
    if isinstance(value, dict):
        return ErrorDetail(name=text(value.get("name")), message=text(value.get("message")))
    return ErrorDetail(name="", message=value if isinstance(value, str) else json.dumps(value))


def output(value: Any, *, is_text: bool) -> Any:
    """The value a step or instance returned.

    Cloudflare's log holds it as JSON text, so there (`is_text`) a text is decoded: `"42"` is the
    number 42 and `"\\"42\\""` the text "42". What is not JSON stays the text it is: a value that
    was cut, `[REDACTED]`, `[ReadableStream (binary): 5 bytes]`. The local engine sends the value
    itself, and nothing is decoded.
    """
    if not is_text or not isinstance(value, str):
        return value
    try:
        return loads(value)
    except ValueError:
        return value


def is_truncated(value: Any) -> bool:
    """Whether an engine says that it cut this output or these params."""
    return isinstance(value, str) and value.rstrip().endswith(TRUNCATION_MARK)


def loads(document: str | bytes) -> Any:
    """JSON, strictly: no NaN, and no half characters, which no database or page can hold.

    Half characters (lone surrogates) do come: JavaScript cuts a long text in UTF-16 units, in the
    middle of an emoji. They are replaced by U+FFFD. Raises ValueError for anything but JSON, and
    for JSON nested too deep to read.
    """
    try:
        value = _DECODER.decode(_as_text(document))
        if _may_hold_surrogates(document):
            whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
            value = json.loads(whole.decode("utf-16", "replace"))
    except RecursionError:
        raise ValueError("JSON is nested too deep") from None
    return value


def _as_text(document: str | bytes) -> str:
    return document if isinstance(document, str) else document.decode("utf-8-sig")


def _may_hold_surrogates(document: str | bytes) -> bool:
    """Looks for a backslash first, which most answers do not have: that is ten times faster."""
    if isinstance(document, bytes):
        return b"\\" in document and (b"\\ud" in document or b"\\uD" in document)
    return "\\" in document and ("\\ud" in document or "\\uD" in document)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


#: One for all: making a decoder costs more than decoding a small output.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if not value.strip().lstrip("-").isdecimal() else int(value)
        except ValueError:
            return None
    if not isinstance(value, int | float):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None
