"""A workflow of those that somebody may see, as a form offers it: there may be thousands."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, gettext_lazy

from dashboard.models import Access, Workflow

SELECTED = mark_safe(" selected")


class ManyOptions(forms.Select):
    """Writes its options by itself: with Django's template for each, a thousand take 50 ms."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = self.format_value(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, SELECTED if str(key) in chosen else "", label) for key, label in self.choices),
        )
        told = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        return format_html("<select{}>{}</select>", told, options)


class WorkflowFilter(forms.ChoiceField):
    """One workflow, or any: as "ACCOUNT_ID/NAME" in the address. `keys`: of the rows by that."""

    widget = ManyOptions

    def __init__(self) -> None:
        super().__init__(required=False, label=gettext_lazy("Workflow"))
        self.keys: dict[str, int] = {}

    def offer(self, access: Access) -> None:
        """What somebody may see; of those that had the same name, today's."""
        rows = Workflow.objects.filter(access.seen("pk")).choosable()
        self.keys, names = {}, {}
        for pk, name, account_id in rows.values_list("pk", "name", "account__account_id"):
            value = f"{account_id}/{name}"
            self.keys[value], names[value] = pk, name
        self.choices = [("", gettext("any")), *names.items()]
