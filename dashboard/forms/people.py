"""Who may do what, as an admin fills it in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator

from dashboard import connection
from dashboard.models import Account, Grant, Role, User
from dashboard.models.grant import GRANTED
from dashboard.models.storing import word

ROLES = [
    (Role.NONE, "none: only what is granted"),
    (Role.VIEWER, "viewer: look at everything"),
    (Role.OPERATOR, "operator: act on all instances"),
    (Role.ADMIN, "admin: also say who may do what"),
]


class AddPersonForm(forms.Form):
    """Somebody new, who gets a password that is shown once."""

    username = forms.CharField(
        max_length=150,
        label="Name",
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(choices=ROLES, initial=Role.VIEWER, label="Role everywhere")

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(f"Somebody is called {name} already.")
        return name

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class PersonForm(forms.Form):
    """The role of somebody, and whether they may sign in."""

    role = forms.ChoiceField(choices=ROLES, label="Role everywhere")
    is_active = forms.BooleanField(
        required=False,
        label="May sign in",
        help_text="Who is switched off is signed out at once; what they did stays.",
    )

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])


class GrantForm(forms.Form):
    """A role for some workflows: to somebody, or to a group of the identity provider."""

    user = forms.ModelChoiceField(
        User.objects.order_by("username"), required=False, label="To", empty_label="a group:"
    )
    group_name = forms.CharField(
        max_length=200,
        required=False,
        label="Group",
        help_text="As the identity provider names it.",
    )
    role = forms.ChoiceField(choices=GRANTED, label="Role")
    account_id = forms.ChoiceField(required=False, label="Account")
    pattern = forms.CharField(
        max_length=200,
        label="Workflows",
        initial="*",
        help_text="A name, or a pattern such as orders-*; * is any text, ? any letter.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, *, to: User | None = None) -> None:
        super().__init__(data, initial={"user": to})
        known = {id_: one.name for id_, one in connection.configured_accounts().items()}
        known |= dict(Account.objects.values_list("account_id", "name"))
        names = sorted(known.items(), key=lambda one: one[1])
        self.fields["account_id"].choices = [("", "all accounts"), *names]  # type: ignore[attr-defined]

    def clean_group_name(self) -> str:
        return word(str(self.cleaned_data["group_name"]))

    def clean_pattern(self) -> str:
        return word(str(self.cleaned_data["pattern"]))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if not self.errors and bool(told["user"]) == bool(told["group_name"]):
            self.add_error("group_name", "Choose somebody or name a group, and not both.")
        return told

    def made(self) -> Grant:
        """The grant, not yet saved; once the form is valid."""
        return Grant(**self.cleaned_data)
