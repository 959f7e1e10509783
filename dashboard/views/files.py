"""What Cloudflare sent, as a file: to save, or to read as plain text. No browser executes it.

A download is an attachment of no type; raw text is text and nothing else. Both are of no origin to
a browser (CSP `sandbox`), so even one that guessed a type could not act in the reader's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from dashboard.cloudflare import StepOutput
from dashboard.insight.payload import as_text

_UNSAFE = re.compile(r"[^\w.-]+")
_SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
}


class Stream:
    """Bytes on their way from Cloudflare to a reader; Django calls `close` however that ends."""

    def __init__(self, chunks: Iterator[bytes], upstream: ExitStack) -> None:
        self.chunks = chunks
        self.upstream = upstream

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.upstream.close()


def value_file(value: object, *name: str, is_raw: bool) -> HttpResponse:
    """JSON, or the text itself where the value is one; to save, or with `is_raw` to read."""
    body = as_text(value).encode("utf-8", "replace")
    if is_raw:
        return HttpResponse(body, headers=_SAFETY | {"Content-Type": "text/plain; charset=utf-8"})
    return HttpResponse(body, headers=_attached(name, "txt" if isinstance(value, str) else "json"))


def bytes_file(body: bytes, *name: str, ending: str = "bin") -> HttpResponse:
    """Bytes as they are, to save."""
    return HttpResponse(body, headers=_attached(name, ending))


def stream_file(output: StepOutput, upstream: ExitStack, *name: str) -> StreamingHttpResponse:
    """A binary output, passed on piece by piece; `upstream` is closed when its reader is done."""
    headers = _attached(name, "bin")
    if output.size is not None:
        headers["Content-Length"] = str(output.size)
    return StreamingHttpResponse(Stream(output.iter_bytes(), upstream), headers=headers)


def _attached(parts: tuple[str, ...], ending: str) -> dict[str, str]:
    """Saved under a harmless name, whatever the step is called."""
    name = "-".join(_UNSAFE.sub("_", part).strip("._")[:80] for part in parts)
    return _SAFETY | {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition_header(True, f"{name}.{ending}") or "attachment",
    }
