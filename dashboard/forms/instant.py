"""A moment, as people write it into a field."""

from __future__ import annotations

from datetime import UTC, datetime

from django import forms
from django.utils.translation import gettext as _


class InstantField(forms.CharField):
    """A moment in ISO 8601; without a zone it is UTC."""

    def clean(self, value: str | None) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
            return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError(
                _("“%(text)s” is no time; write it as 2026-11-20T03:00 (UTC).")
                % {"text": text[:40]}
            ) from None
