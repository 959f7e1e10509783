"""The moment that a page compares with now, as its address names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError

from dashboard.forms.instant import InstantField

#: What an address may say instead of a moment, and in words.
SPANS = {
    "15m": (timedelta(minutes=15), "15 minutes"),
    "1h": (timedelta(hours=1), "1 hour"),
    "8h": (timedelta(hours=8), "8 hours"),
    "24h": (timedelta(hours=24), "24 hours"),
}
#: A page of what has changed since a moment looks back so far.
FURTHEST = timedelta(days=31)


@dataclass(frozen=True)
class Since:
    """`text`: as it was asked for. `at`: the moment; None when none was asked for, or `error` says
    why there is none."""

    text: str = ""
    at: datetime | None = None
    error: str = ""

    @classmethod
    def read(cls, text: str, now: datetime) -> Since:
        """What an address asks for."""
        text = text.strip()
        if text in SPANS:
            # In whole minutes, so that a page that refreshes itself says something new as rarely.
            return cls(text, (now - SPANS[text][0]).replace(second=0, microsecond=0))
        try:
            at = InstantField(required=False).clean(text)
        except ValidationError as refused:
            spans = ", ".join(SPANS)
            return cls(text, error=f"{refused.messages[0]} Or one of {spans}.")
        if at and at > now:
            return cls(text, error=f"{at:%Y-%m-%d %H:%M} UTC has not come yet.")
        return cls(text, at)

    @classmethod
    def anchor(cls, text: str, now: datetime) -> Since:
        """The same, of a moment that is not too long ago."""
        since = cls.read(text, now)
        if since.at and now - since.at > FURTHEST:
            error = f"{since.at:%Y-%m-%d} is too long ago: this page looks back 31 days."
            return cls(text.strip(), error=error)
        return since

    @property
    def is_span(self) -> bool:
        """True when it moves on with the clock."""
        return self.text in SPANS

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Each as in an address, in words, and whether it is chosen."""
        return [(text, words, text == self.text) for text, (_, words) in SPANS.items()]

    @property
    def field(self) -> str:
        """The moment as a field of a form holds it."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}" if self.at else ""
