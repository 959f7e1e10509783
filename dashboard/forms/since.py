"""The moment that a page compares with now, as its address names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_noop

from dashboard.forms.instant import InstantField

#: What an address may say instead of a moment, and in words.
SPANS = {
    "15m": (timedelta(minutes=15), gettext_noop("15 minutes")),
    "1h": (timedelta(hours=1), gettext_noop("1 hour")),
    "8h": (timedelta(hours=8), gettext_noop("8 hours")),
    "24h": (timedelta(hours=24), gettext_noop("24 hours")),
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
            told = {"problem": refused.messages[0], "spans": ", ".join(SPANS)}
            return cls(text, error=gettext("%(problem)s Or one of %(spans)s.") % told)
        if at and at > now:
            error = gettext("%(moment)s UTC has not come yet.")
            return cls(text, error=error % {"moment": f"{at:%Y-%m-%d %H:%M}"})
        return cls(text, at)

    @classmethod
    def anchor(cls, text: str, now: datetime) -> Since:
        """The same, of a moment that is not too long ago."""
        since = cls.read(text, now)
        if since.at and now - since.at > FURTHEST:
            error = gettext("%(day)s is too long ago: this page looks back 31 days.") % {
                "day": f"{since.at:%Y-%m-%d}"
            }
            return cls(text.strip(), error=error)
        return since

    @property
    def is_span(self) -> bool:
        """True when it moves on with the clock."""
        return self.text in SPANS

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Each as in an address, in words, and whether it is chosen."""
        return [(text, gettext(words), text == self.text) for text, (_, words) in SPANS.items()]

    @property
    def field(self) -> str:
        """The moment as a field of a form holds it."""
        return f"{self.at:%Y-%m-%dT%H:%M:%S}" if self.at else ""
