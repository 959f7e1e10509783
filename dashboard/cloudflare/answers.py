"""One HTTP answer, and what its envelope says, before anybody judges it.

Cloudflare wraps every answer in `{success, errors, messages, result, result_info}`. Seen besides:
`{code, error}` of some gateways, texts in `errors`, 204 without a body, HTML, plain text.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx

from dashboard.cloudflare import values
from dashboard.cloudflare.types import Json, RateLimit

EXCERPT_LENGTH = 200


@dataclass
class Answer:
    """Status, headers and the whole body; nothing in it raises."""

    http_status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

    @cached_property
    def document(self) -> Any:
        """The body as JSON, None when it is not JSON. The content type is not believed."""
        try:
            return values.loads(self.body)
        except ValueError:
            return None

    @property
    def envelope(self) -> Json:
        return values.mapping(self.document)

    @property
    def is_envelope(self) -> bool:
        return bool(self.envelope.keys() & {"success", "result", "errors", "error", "code"})

    @property
    def is_success(self) -> bool:
        """A 2xx whose envelope does not deny it; an old gateway leaves `success` out."""
        return 200 <= self.http_status < 300 and self.envelope.get("success", True) is True

    @cached_property
    def error(self) -> tuple[int | None, str]:
        """Cloudflare's first code and its words for it."""
        errors = values.items(self.envelope.get("errors")) or [self.envelope]
        first = errors[0]
        if not isinstance(first, dict):
            return None, values.text(first)
        words = first.get("message") or first.get("error")
        return values.integer(first.get("code")), values.text(words)

    @property
    def is_html(self) -> bool:
        content_type = self.headers.get("content-type", "")
        return "html" in content_type or self.body.lstrip()[:1] == b"<"

    @property
    def is_challenge(self) -> bool:
        return "challenge" in self.headers.get("cf-mitigated", "")

    @property
    def ray(self) -> str:
        return str(self.headers.get("cf-ray", ""))[:64]

    @property
    def date(self) -> datetime | None:
        return _http_date(self.headers.get("date", ""))

    @property
    def excerpt(self) -> str:
        """At most 200 characters of the body as plain text: no tags, scripts or control signs."""
        words = self.body[:20_000].decode("utf-8", "replace")
        if self.is_html:
            words = re.sub(r"(?is)<(script|style)\b.*?(</\1\s*>|$)", " ", words)
            words = html.unescape(re.sub(r"<[^>]*(>|$)", " ", words))
        words = "".join(character if character.isprintable() else " " for character in words)
        return " ".join(words.split())[:EXCERPT_LENGTH]

    @property
    def retry_after(self) -> float | None:
        """Seconds from `retry-after` (seconds or a date), else from an exhausted `ratelimit`."""
        header = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", header):
            return float(header)
        until = _http_date(header)
        if until is not None:
            # Their clock and ours may differ by minutes: measure against their own Date.
            return max(0.0, (until - (self.date or datetime.now(UTC))).total_seconds())
        limit = rate_limit(self.headers)
        return limit.reset_seconds if limit and limit.remaining == 0 else None


def rate_limit(headers: httpx.Headers) -> RateLimit | None:
    """What `Ratelimit: "default";r=50;t=30` leaves, and the tightest policy beside it, such as
    `Ratelimit-Policy: "default";q=1200;w=300`.
    """
    left = [
        (int(match["r"]), float(match["t"]))
        for match in re.finditer(
            r";\s*r=(?P<r>\d{1,9})\s*;\s*t=(?P<t>\d{1,9})", headers.get("ratelimit", "")
        )
    ]
    policies = [
        (int(match["q"]), float(match["w"]))
        for match in re.finditer(
            r";\s*q=(?P<q>\d{1,9})\s*;\s*w=(?P<w>\d{1,9})", headers.get("ratelimit-policy", "")
        )
    ]
    if not left:
        return None
    sensible = [(quota, window) for quota, window in policies if quota and window]
    quota, window = min(sensible, key=lambda it: it[0] / it[1], default=(None, None))
    return RateLimit(*min(left), quota=quota, window_seconds=window)


def _http_date(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
