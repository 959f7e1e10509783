"""What of an instance is shown to others, for how long, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from dashboard.insight.redaction import Redaction
from dashboard.insight.words import NAME_LIMIT

#: How long a link may live, in days.
LIVES = (
    (1, gettext_lazy("1 day")),
    (7, gettext_lazy("7 days")),
    (30, gettext_lazy("30 days")),
    (365, gettext_lazy("1 year")),
)
#: How many steps can be chosen by name.
STEPS = 200
LONGEST_WORDS = 10_000


class FrozenForm(forms.Form):
    """A frozen link before it is made. `of`: links or ids, one a line."""

    of = forms.CharField(
        label=gettext_lazy("Instances"),
        max_length=20_000,
        help_text=gettext_lazy(
            "Links or ids, one a line: of instances as last read, or of kept generations."
        ),
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )
    title = forms.CharField(max_length=200, label=gettext_lazy("Title"))
    days = forms.TypedChoiceField(
        choices=LIVES, coerce=int, initial=7, label=gettext_lazy("Open for")
    )
    words = forms.CharField(
        required=False,
        max_length=LONGEST_WORDS,
        label=gettext_lazy("Also hide"),
        help_text=gettext_lazy(
            "One word or text a line. Hidden are values of keys that hold it, and the "
            "text itself wherever it stands."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    steps = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("Hide output and errors of these steps"),
        widget=forms.CheckboxSelectMultiple,
    )
    hides_params = forms.BooleanField(required=False, label=gettext_lazy("Hide all params"))
    hides_outputs = forms.BooleanField(required=False, label=gettext_lazy("Hide all outputs"))
    is_public = forms.BooleanField(
        required=False,
        label=gettext_lazy("Visible to everybody who has the link, without signing in"),
    )

    def __init__(self, *args: Any, step_names: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = (name for name in step_names if 0 < len(name) <= NAME_LIMIT)
        names = list(dict.fromkeys(known))[:STEPS]
        choices = [(name, name) for name in names]
        self.fields["steps"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["steps"]

    def redaction(self) -> Redaction:
        """The rules as they were filled in; those of a form that was never sent are the usual."""
        told = getattr(self, "cleaned_data", {})
        return Redaction(
            words=[line.strip() for line in told.get("words", "").splitlines() if line.strip()],
            steps=told.get("steps", []),
            hides_params=told.get("hides_params", False),
            hides_outputs=told.get("hides_outputs", False),
        )

    def life(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])


def references(text: str) -> list[str]:
    """The lines that hold something, each once."""
    return list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
