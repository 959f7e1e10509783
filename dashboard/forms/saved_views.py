"""What a saved view is: its name, whether everybody has it, and the list it stands for."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from django import forms
from django.utils.translation import gettext_lazy

#: What stands in an address as it is, so that people can read it.
SAFE = "/:*,"
#: They belong to one look at a list, not to the view.
PASSING = {"view", "after", "before", "until", "shown", "earlier", "arranging"}


class SavedViewForm(forms.Form):
    name = forms.CharField(
        max_length=80, label=gettext_lazy("Name"), widget=forms.TextInput({"autofocus": True})
    )
    is_shared = forms.BooleanField(
        required=False,
        label=gettext_lazy("Share it with everyone"),
        help_text=gettext_lazy("Others see it and can copy it; only you and admins change it."),
    )
    query = forms.CharField(required=False, max_length=4000, widget=forms.HiddenInput)

    def clean_query(self) -> str:
        """The parameters that make the list, written in one way."""
        told = parse_qsl(self.cleaned_data["query"].removeprefix("?"))
        return urlencode([(k, v) for k, v in told if k not in PASSING], safe=SAFE)
