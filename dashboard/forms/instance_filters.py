"""Untrusted input, read: each field says in one sentence what does not fit, and the rest stays."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.http import QueryDict

from dashboard.models.filters import InstanceFilters
from dashboard.models.keyset import BadCursor, Cursor, Order

TIME_FIELDS = {"created": "created_on", "started": "started_on", "ended": "ended_on"}
ORDERS = {
    "created": Order("created_on", is_nullable=False),
    "started": Order("started_on"),
    "ended": Order("ended_on"),
    "duration": Order("duration_ms"),
}
DEFAULT_SORT = "-created"
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class TextsField(forms.Field):
    """A parameter that may be repeated; blanks and repetitions fall away."""

    widget = forms.MultipleHiddenInput

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.max_length = max_length

    def clean(self, value: list[str] | None) -> tuple[str, ...]:
        texts = tuple(dict.fromkeys(text for text in value or () if text))
        for text in texts:
            ProhibitNullCharactersValidator()(text)
            if len(text) > self.max_length:
                raise forms.ValidationError(f"“{text[:20]}…” is too long to be one.")
        return texts


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
                f"“{text[:40]}” is no time; write it as 2026-11-20T03:00 (UTC)."
            ) from None


class InstanceFilterForm(forms.Form):
    """The instance list's address: filters, order, and place in the list."""

    status = TextsField(max_length=32)
    account = TextsField(max_length=64)
    workflow = TextsField(max_length=200)
    trigger = TextsField(max_length=32)
    version = forms.CharField(required=False, max_length=64)
    q = forms.CharField(required=False, max_length=271, strip=False)
    time = forms.CharField(required=False, max_length=20)
    since = forms.CharField(required=False, max_length=20)
    sort = forms.CharField(required=False, max_length=20)
    after = forms.CharField(required=False, max_length=200)
    before = forms.CharField(required=False, max_length=200)
    until = forms.CharField(required=False, max_length=200)
    shown = forms.CharField(required=False, max_length=4000)

    def __init__(self, data: QueryDict, *, now: datetime) -> None:
        super().__init__(data)
        self.now = now
        self.order = ORDERS["created"]
        # `from` is a word of Python's, so it cannot be declared above.
        self.fields["from"] = InstantField(required=False)
        self.fields["to"] = InstantField(required=False)

    def clean_workflow(self) -> tuple[tuple[str, str], ...]:
        pairs = []
        for text in self.cleaned_data["workflow"]:
            account_id, slash, name = text.partition("/")
            if not (account_id and slash and name):
                raise forms.ValidationError(
                    f"“{text[:40]}” names no workflow; write the account's id, a slash, its name."
                )
            pairs.append((account_id, name))
        return tuple(pairs)

    def clean_time(self) -> str:
        return _one_of(self.cleaned_data["time"] or "created", TIME_FIELDS, "times")

    def clean_since(self) -> datetime | None:
        text = self.cleaned_data["since"]
        if not text:
            return None
        found = re.fullmatch(r"([1-9]\d{0,4})([mhdw])", text)
        if not found:
            raise forms.ValidationError(f"“{text}” is no length of time; write 15m, 1h, 7d or 2w.")
        # Five digits of weeks are 1,917 years: never before the calendar begins.
        return self.now - timedelta(**{UNITS[found[2]]: int(found[1])})

    def clean_sort(self) -> str:
        sort = self.cleaned_data["sort"] or DEFAULT_SORT
        field = _one_of(sort.removeprefix("-"), ORDERS, "orders")
        known = ORDERS[field]
        self.order = Order(known.field, sort.startswith("-"), known.is_nullable)
        return str(sort)

    def clean_after(self) -> Cursor | None:
        return self._cursor("after")

    def clean_before(self) -> Cursor | None:
        return self._cursor("before")

    def clean_until(self) -> Cursor | None:
        return self._cursor("until")

    def clean_shown(self) -> list[int]:
        text = self.cleaned_data["shown"]
        if not re.fullmatch(r"(\d{1,18}(\.\d{1,18}){0,99})?", text):
            raise forms.ValidationError("The rows to refresh cannot be read.")
        return [int(pk) for pk in text.split(".")] if text else []

    def clean(self) -> dict[str, Any]:
        start, end = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if start and end and start >= end:
            self.add_error("to", "The range ends before it begins.")
        if self.cleaned_data.get("since") and (start or end):
            self.add_error("since", "Choose a relative time or a range, not both.")
        if self.cleaned_data.get("after") and self.cleaned_data.get("before"):
            self.add_error("before", "A page is after one place or before one, not both.")
        return self.cleaned_data

    @property
    def filters(self) -> InstanceFilters:
        """What could be read of the filters."""
        told = self.cleaned_data.get
        return InstanceFilters(
            statuses=told("status", ()),
            accounts=told("account", ()),
            workflows=told("workflow", ()),
            version=told("version", ""),
            triggers=told("trigger", ()),
            time_field=TIME_FIELDS[told("time", "created")],
            since=told("since") or told("from"),
            until=told("to"),
            text=told("q", ""),
        )

    def _cursor(self, name: str) -> Cursor | None:
        text = self.cleaned_data[name]
        if not text or "sort" in self.errors:
            return None
        try:
            return Cursor.read(text, self.order)
        except BadCursor:
            raise forms.ValidationError(
                "This link's place in the list cannot be read; these are the first rows."
            ) from None


def _one_of(text: str, known: dict[str, Any], what: str) -> str:
    if text not in known:
        raise forms.ValidationError(f"“{text}” is none of the {what}: {', '.join(known)}.")
    return text
