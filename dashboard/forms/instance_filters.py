"""Untrusted input, read: each field says in one sentence what does not fit, and the rest stays."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from dashboard.forms import search
from dashboard.models import Access
from dashboard.models.filters import InstanceFilters
from dashboard.models.keyset import BadCursor, Cursor, Order
from dashboard.search.language import Query, parse

ORDERS = {
    "created": Order("created_on", is_nullable=False),
    "started": Order("started_on"),
    "ended": Order("ended_on"),
    "duration": Order("duration_ms"),
}
DEFAULT_SORT = "-created"


class InstanceFilterForm(forms.Form):
    """The instance list's address: what is searched for, order, and place in the list."""

    q = forms.CharField(required=False, max_length=1000)
    sort = forms.CharField(required=False, max_length=20)
    after = forms.CharField(required=False, max_length=200)
    before = forms.CharField(required=False, max_length=200)
    until = forms.CharField(required=False, max_length=200)
    shown = forms.CharField(required=False, max_length=4000)

    def __init__(self, data: QueryDict, *, now: datetime, access: Access) -> None:
        super().__init__(data)
        self.now, self.access = now, access
        self.order = ORDERS["created"]
        self.query = Query()
        self.reading = search.read(self.query, now)

    def clean_q(self) -> str:
        text = self.cleaned_data["q"]
        self.query, problems = parse(text, _)
        self.reading = search.read(self.query, self.now)
        if sentences := [problem.sentence for problem in problems + self.reading.problems]:
            raise forms.ValidationError(sentences)
        return str(text)

    def clean_sort(self) -> str:
        sort = self.cleaned_data["sort"] or DEFAULT_SORT
        known = ORDERS.get(sort.removeprefix("-"))
        if known is None:
            raise forms.ValidationError(
                _("“%(name)s” is none of the orders: %(orders)s.")
                % {"name": sort, "orders": ", ".join(ORDERS)}
            )
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
            raise forms.ValidationError(_("The rows to refresh cannot be read."))
        return [int(pk) for pk in text.split(".")] if text else []

    @property
    def filters(self) -> InstanceFilters:
        """What could be read of the query, of what may be seen."""
        return replace(self.reading.filters, within=self.access.workflows)

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("after") and self.cleaned_data.get("before"):
            self.add_error("before", _("A page is after one place or before one, not both."))
        return self.cleaned_data

    def _cursor(self, name: str) -> Cursor | None:
        text = self.cleaned_data[name]
        if not text or "sort" in self.errors:
            return None
        try:
            return Cursor.read(text, self.order)
        except BadCursor:
            raise forms.ValidationError(
                _("This link's place in the list cannot be read; these are the first rows.")
            ) from None
