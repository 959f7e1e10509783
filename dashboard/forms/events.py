"""An event, to one instance or to many: its type, and any JSON as its payload."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.forms.json_text import JsonTextField


class EventFields(forms.Form):
    """What a form that sends an event has besides its own."""

    event_type = forms.CharField(max_length=100, label="Event type")
    payload = JsonTextField(
        required=False,
        label="Payload",
        help_text="Any JSON; nothing sends null.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean_event_type(self) -> str:
        event_type: str = self.cleaned_data["event_type"]
        if event_type in {".", ".."}:
            raise forms.ValidationError(f"“{event_type}” cannot be sent in an address.")
        return event_type

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instances, as it is kept and shown."""
        return {
            "event_type": self.cleaned_data["event_type"],
            "payload": self.cleaned_data["payload"],
        }
