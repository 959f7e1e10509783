"""A new token for scripts: its name, what it may do, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.models import ApiToken, Scope, User, access_of
from dashboard.models.api_token import LONGEST_LIFE

#: How long a token may live, in days.
LIVES = (
    (1, gettext_lazy("1 day")),
    (7, gettext_lazy("7 days")),
    (30, gettext_lazy("30 days")),
    (90, gettext_lazy("90 days")),
    (LONGEST_LIFE.days, gettext_lazy("1 year")),
)
USUAL_LIFE = 90


class TokenForm(forms.Form):
    """A token before it is made, for the one who asks for it."""

    name = forms.CharField(
        max_length=80,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy(
            "Stands beside your name on all that is done with it, such as deploy-bot."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    scope = forms.ChoiceField(label=gettext_lazy("Scope"))
    days = forms.TypedChoiceField(
        choices=LIVES, coerce=int, initial=USUAL_LIFE, label=gettext_lazy("Expires after")
    )

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        scopes = [(Scope.READ.value, _("Read: look at what you can see"))]
        if access_of(user).operates:
            scopes.append((Scope.OPERATE.value, _("Operate: also act on instances, as you can")))
        self.fields["scope"].choices = scopes  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise forms.ValidationError(_("A name has no characters that nobody can see."))
        if ApiToken.objects.filter(user=self.user, name=name).exists():
            raise forms.ValidationError(
                _(
                    "You have, or had, a token of this name; what it did is told by it. "
                    "Choose another."
                )
            )
        return name

    def life(self) -> timedelta:
        return timedelta(days=self.cleaned_data["days"])
