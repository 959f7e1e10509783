"""Params, outputs and errors as text to read: pretty, and never more than a page can bear."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

#: What a page holds of one payload; the rest is read by a worker, or downloaded.
LIMIT = 64_000
REDACTED = "[REDACTED]"
UNWRITABLE = gettext_noop("(a value nested too deeply to be written out)")


@dataclass(frozen=True, slots=True)
class Payload:
    """`text` is at most the limit; `size`: the whole in bytes; `is_truncated`: by Cloudflare.

    `is_json`: an object or array, which can be looked at as a tree.
    """

    text: str
    size: int
    is_cut: bool = False
    is_truncated: bool = False
    is_redacted: bool = False
    is_json: bool = False

    @property
    def size_words(self) -> str:
        return size_words(self.size)

    @property
    def is_whole(self) -> bool:
        return not self.is_cut and not self.is_truncated

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1


def payload(value: Any, *, limit: int = LIMIT, is_truncated: bool = False) -> Payload:
    """A JSON value to read. A text stands as it is, without quotes and escapes."""
    text = as_text(value)
    return Payload(
        text=text[:limit],
        size=len(text.encode("utf-8", "replace")),
        is_cut=len(text) > limit,
        is_truncated=is_truncated,
        is_redacted=value == REDACTED,
        is_json=isinstance(value, dict | list) and text != _(UNWRITABLE),
    )


def as_text(value: Any) -> str:
    """The whole value as text: JSON with indents, or the text itself."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return _(UNWRITABLE)


def preview(value: Any, limit: int = 120) -> str:
    """The beginning of a value in one line."""
    is_text = isinstance(value, str)
    line = " ".join(value[: 4 * limit].split()) if is_text else _compact(value, limit)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _compact(value: Any, limit: int) -> str:
    """JSON in one line, written only as far as it is shown."""
    pieces, length = [], 0
    try:
        for piece in json.JSONEncoder(ensure_ascii=False).iterencode(value):
            pieces.append(piece[: limit + 1])
            length += len(pieces[-1])
            if length > limit:
                break
    except (TypeError, ValueError, RecursionError):
        return _(UNWRITABLE)
    return "".join(pieces)


def size_words(size: int) -> str:
    """`512 bytes`, `1.5 MB`."""
    if size < 1000:
        return ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": size}
    if size < 1_000_000:
        return f"{size / 1000:.3g} kB" if size < 999_500 else "1 MB"
    return f"{size / 1_000_000:.3g} MB"
