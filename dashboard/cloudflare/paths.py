"""URL paths from names and ids that may hold `/`, spaces, `*`, `#` and `%`."""

from __future__ import annotations

from urllib.parse import quote

from dashboard.cloudflare.errors import Invalid


def join(*parts: str) -> str:
    """`/a/b/c` with nothing in a part left unquoted: a part never becomes two, or another one.

    Raises `Invalid` (not sent) for an empty part and for `.` and `..`, which servers and proxies
    resolve even when quoting leaves them alone.
    """
    return "".join(f"/{_part(part)}" for part in parts)


def _part(part: str) -> str:
    if not part:
        raise Invalid("A name or id is missing, so nothing was sent.", was_sent=False)
    if part in {".", ".."}:
        raise Invalid(f'"{part}" is not a name or id, so nothing was sent.', was_sent=False)
    try:
        return quote(part, safe="")
    except UnicodeEncodeError:
        message = "A name or id holds half a character (a lone surrogate), so nothing was sent."
        raise Invalid(message, was_sent=False) from None
