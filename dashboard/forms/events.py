"""An event, to one instance or to many: its type, and any JSON as its payload."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.forms.json_text import JsonTextField


class EventFields(forms.Form):
    """What a form that sends an event has besides its own."""

    event_type = forms.CharField(max_length=100, label=gettext_lazy("Event type"))
    payload = JsonTextField(
        required=False,
        label=gettext_lazy("Payload"),
        help_text=gettext_lazy("Any JSON; nothing sends null."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean_event_type(self) -> str:
        event_type: str = self.cleaned_data["event_type"]
        if event_type in {".", ".."}:
            raise forms.ValidationError(
                _("“%(event_type)s” cannot be sent in an address.") % {"event_type": event_type}
            )
        return event_type

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instances, as it is kept and shown."""
        return {
            "event_type": self.cleaned_data["event_type"],
            "payload": self.cleaned_data["payload"],
        }
