"""The address of an instance's page, read: which of its steps, when, and what is open."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from dashboard.cloudflare.types import StepType
from dashboard.forms.instant import InstantField
from dashboard.insight.view import View
from dashboard.insight.words import TYPE_WORDS
from dashboard.models.storing import storable

_OPEN = re.compile(r"-?[0-9]{1,12}")
_UNFOLD = re.compile(r"([0-9]{1,7}):([0-9]{1,6})")
#: More open places than this are nobody's.
_MOST_OPEN = 20


class StepsForm(forms.Form):
    """`q`, `type`, `failed`: the filter. `from` and `to`: a stretch of time, in UTC."""

    q = forms.CharField(required=False, max_length=300, strip=False, empty_value="")
    type = forms.CharField(required=False, max_length=50)
    failed = forms.BooleanField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.query = data
        for name in ("from", "to"):  # The first is no name in Python.
            self.fields[name] = InstantField(required=False, max_length=40)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        since, until = found.get("from"), found.get("to")
        if since and until and until <= since:
            self.add_error("to", gettext("This is not after the beginning."))
        return found

    @property
    def since(self) -> forms.BoundField:
        return self["from"]

    @property
    def until(self) -> forms.BoundField:
        return self["to"]

    @property
    def types(self) -> list[tuple[str, str, bool]]:
        """Each known type of step: value, word, whether it is the chosen one."""
        chosen = self["type"].value() or ""
        known = [(kind.value, TYPE_WORDS[kind]) for kind in StepType]
        if chosen and chosen not in {value for value, _ in known}:
            known.append((chosen, chosen))
        return [(value, word, value == chosen) for value, word in known]

    @property
    def view(self) -> View:
        """What the address says, as far as it says something that fits."""
        self.is_valid()
        told, query = self.cleaned_data, self.query
        since: datetime | None = told.get("from")
        step = query.get("step", "")
        return View(
            text=storable(told.get("q", "")),
            type=storable(told.get("type", "")),
            only_failed=told.get("failed", False),
            since=since,
            until=told.get("to"),
            opened=frozenset(
                int(text) for text in query.getlist("open")[:_MOST_OPEN] if _OPEN.fullmatch(text)
            ),
            unfolded={
                int(found[1]): int(found[2])
                for text in query.getlist("unfold")[:_MOST_OPEN]
                if (found := _UNFOLD.fullmatch(text))
            },
            step=int(step) if _OPEN.fullmatch(step) else None,
            page=query.get("steps", "")[:7],
            others=tuple(
                (name, value)
                for name, values in query.lists()
                if name not in _OURS
                for value in values
            ),
        )


_OURS = {"q", "type", "failed", "from", "to", "open", "unfold", "step", "steps"}
