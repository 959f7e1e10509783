"""What a team says of a step: that it does something outside its workflow."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from dashboard.models import Mark
from dashboard.models.storing import word


class MarkForm(forms.Form):
    step_name = forms.CharField(
        max_length=300,
        label=gettext_lazy("Step"),
        help_text=gettext_lazy(
            "The name in the workflow's code, without the number that Cloudflare adds."
        ),
        widget=forms.TextInput({"spellcheck": "false", "autocomplete": "off"}),
    )
    kind = forms.ChoiceField(choices=Mark.Kind.choices, label=gettext_lazy("What it does"))
    words = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("In your words"),
        help_text=gettext_lazy("Such as: charges the card; not idempotent."),
    )

    def clean_step_name(self) -> str:
        return word(str(self.cleaned_data["step_name"]))

    def clean_words(self) -> str:
        return word(str(self.cleaned_data["words"]))
