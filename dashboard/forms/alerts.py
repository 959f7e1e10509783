"""What is alerted of, where that is sent, and when it is not."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard import alerts
from dashboard.alerts import BadAddress, Kind
from dashboard.forms.instant import InstantField
from dashboard.forms.workflow_choice import ManyOptions
from dashboard.models import AlertChannel, AlertRule, Silence, Workflow
from dashboard.models.storing import word

LONGEST_SILENCE = timedelta(days=90)


class WorkflowChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django has none.
    """A workflow that there is now, by name and account."""

    widget = ManyOptions

    def __init__(self, **options: Any) -> None:
        rows = Workflow.objects.present().choosable()
        super().__init__(rows, label=gettext_lazy("Workflow"), **options)

    def label_from_instance(self, obj: Workflow) -> str:
        return f"{obj.name} ({obj.account.name})"


class RuleForm(forms.Form):
    """A rule of one kind: its name, its terms, and the channels that it sends to."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))

    def __init__(self, kind: type[Kind], rule: AlertRule | None, data: Any = None) -> None:
        known = {"name": rule.name, "workflow": rule.workflow_id} | rule.terms if rule else {}
        chosen = rule.channels.present() if rule else AlertChannel.objects.none()
        initial = {"name": kind.TITLE, "is_on": rule is None or rule.is_on, "channels": chosen}
        super().__init__(data, initial=initial | known)
        self.kind = kind
        if kind.OF_WORKFLOW:
            of_each = None if kind.NEEDS_WORKFLOW else _("each workflow by itself")
            self.fields["workflow"] = WorkflowChoice(
                required=kind.NEEDS_WORKFLOW, empty_label=of_each
            )
        self.terms = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        for field in dataclasses.fields(kind):  # type: ignore[arg-type]
            self.fields[field.name] = _field(field)
        self.fields["channels"] = forms.ModelMultipleChoiceField(
            AlertChannel.objects.present(),
            required=False,
            label=_("Send to"),
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["is_on"] = forms.BooleanField(required=False, label=_("Switched on"))

    def clean_name(self) -> str:
        return word(str(self.cleaned_data["name"]))

    def made(self) -> Kind:
        """The kind with the terms that were set; once the form is valid."""
        return alerts.kind_of(self.kind.NAME, self.told())

    def told(self) -> dict[str, Any]:
        """The terms that were set."""
        return {name: self.cleaned_data[name] for name in self.terms}

    @property
    def workflow(self) -> Workflow | None:
        found: Workflow | None = self.cleaned_data.get("workflow")
        return found


class ChannelForm(forms.Form):
    """A channel. Its address is not shown again; left out, the one that it has stays."""

    name = forms.CharField(
        max_length=80, label=gettext_lazy("Name"), widget=forms.TextInput({"autofocus": True})
    )
    address = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("It holds secrets, so it is kept sealed and never shown again."),
        widget=forms.PasswordInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, channel: AlertChannel | None, data: Any = None) -> None:
        super().__init__(data, initial={"name": channel.name} if channel else None)
        if channel:
            self.fields["address"].required = False
            self.fields["address"].help_text = _("Leave it empty to keep the one that it has.")

    def clean_name(self) -> str:
        return word(str(self.cleaned_data["name"]))

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"])
        if address:
            try:
                self.service = alerts.service_of(address)
            except BadAddress as error:
                raise forms.ValidationError(str(error)) from None
        return address


class SilenceForm(forms.Form):
    """What is not delivered, from when until when, and why."""

    rule = forms.ModelChoiceField(
        AlertRule.objects.present(),
        required=False,
        label=gettext_lazy("Rule"),
        empty_label=gettext_lazy("all rules"),
    )
    workflow = WorkflowChoice(required=False, empty_label=gettext_lazy("all workflows"))
    reason = forms.CharField(max_length=300, label=gettext_lazy("Reason"))
    starts_at = InstantField(
        required=False,
        label=gettext_lazy("Starts"),
        help_text=gettext_lazy("Now, when left out. A later moment plans a maintenance window."),
    )
    ends_at = InstantField(
        label=gettext_lazy("Ends"), help_text=gettext_lazy("As 2026-11-20T03:00, in UTC.")
    )
    is_weekly = forms.BooleanField(
        required=False, label=gettext_lazy("Repeat it each week at the same time")
    )

    def __init__(self, now: datetime, data: Any = None, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.now = now

    def clean_reason(self) -> str:
        return word(str(self.cleaned_data["reason"]))

    def clean_starts_at(self) -> datetime:
        return self.cleaned_data["starts_at"] or self.now

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        starts_at, ends_at = told.get("starts_at"), told.get("ends_at")
        if not starts_at or not ends_at:
            return told
        if ends_at <= max(starts_at, self.now):
            self.add_error("ends_at", _("It ends before it begins; choose a later moment."))
        elif ends_at - starts_at > LONGEST_SILENCE:
            self.add_error(
                "ends_at", _("A silence lasts at most 90 days, so that nobody forgets it.")
            )
        elif told.get("is_weekly") and ends_at - starts_at > timedelta(days=7):
            self.add_error("ends_at", _("What repeats each week lasts at most a week."))
        return told

    def made(self) -> Silence:
        """The silence, not yet saved; once the form is valid."""
        return Silence(**self.cleaned_data)


class AcknowledgeForm(forms.Form):
    note = forms.CharField(
        max_length=1000,
        required=False,
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What you know, or what you do about it."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean_note(self) -> str:
        return word(str(self.cleaned_data["note"]))


def _field(field: dataclasses.Field[Any]) -> forms.Field:
    """The form field of one of a kind's terms."""
    told = field.metadata
    if "most" in told:
        least, most = told["least"], told["most"]
        bounds = _("Write a whole number from %(least)s to %(most)s.") % {
            "least": f"{least:,}",
            "most": f"{most:,}",
        }
        return forms.IntegerField(
            label=told["label"],
            initial=field.default,
            min_value=least,
            max_value=most,
            help_text=told["help"],
            error_messages={"invalid": bounds, "min_value": bounds, "max_value": bounds},
        )
    return forms.CharField(
        label=told["label"], max_length=told["longest"], required=False, help_text=told["help"]
    )
