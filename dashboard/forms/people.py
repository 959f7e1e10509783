"""Who may do what, as an admin fills it in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard import connection
from dashboard.models import Account, Grant, Role, User
from dashboard.models.grant import GRANTED
from dashboard.models.storing import word

ROLES = [
    (Role.NONE, gettext_lazy("none: only what is granted")),
    (Role.VIEWER, gettext_lazy("viewer: look at everything")),
    (Role.OPERATOR, gettext_lazy("operator: act on all instances")),
    (Role.ADMIN, gettext_lazy("admin: also say who may do what")),
]


class AddPersonForm(forms.Form):
    """Somebody new, who gets a password that is shown once."""

    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("Name"),
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(
        choices=ROLES, initial=Role.VIEWER, label=gettext_lazy("Role everywhere")
    )

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("Somebody is called %(name)s already.") % {"name": name})
        return name

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class PersonForm(forms.Form):
    """The role of somebody, and whether they may sign in."""

    role = forms.ChoiceField(choices=ROLES, label=gettext_lazy("Role everywhere"))
    is_active = forms.BooleanField(
        required=False,
        label=gettext_lazy("May sign in"),
        help_text=gettext_lazy("Who is switched off is signed out at once; what they did stays."),
    )

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class GrantForm(forms.Form):
    """A role for some workflows: to somebody, or to a group of the identity provider."""

    user = forms.ModelChoiceField(
        User.objects.order_by("username"),
        required=False,
        label=gettext_lazy("To"),
        empty_label=gettext_lazy("a group:"),
    )
    group_name = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Group"),
        help_text=gettext_lazy("As the identity provider names it."),
    )
    role = forms.ChoiceField(choices=GRANTED, label=gettext_lazy("Role"))
    account_id = forms.ChoiceField(required=False, label=gettext_lazy("Account"))
    pattern = forms.CharField(
        max_length=200,
        label=gettext_lazy("Workflows"),
        initial="*",
        help_text=gettext_lazy(
            "A name, or a pattern such as orders-*; * is any text, ? any letter."
        ),
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, to: User | None = None) -> None:
        super().__init__(data, initial={"user": to})
        known = {id_: one.name for id_, one in connection.configured_accounts().items()}
        known |= dict(Account.objects.values_list("account_id", "name"))
        names = sorted(known.items(), key=lambda one: one[1])
        self.fields["account_id"].choices = [("", _("all accounts")), *names]  # type: ignore[attr-defined]

    def clean_group_name(self) -> str:
        return word(str(self.cleaned_data["group_name"]))

    def clean_pattern(self) -> str:
        return word(str(self.cleaned_data["pattern"]))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if not self.errors and bool(told["user"]) == bool(told["group_name"]):
            self.add_error("group_name", _("Choose somebody or name a group, and not both."))
        return told

    def made(self) -> Grant:
        """The grant, not yet saved; once the form is valid."""
        return Grant(**self.cleaned_data)
