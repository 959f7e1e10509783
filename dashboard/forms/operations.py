"""Untrusted input: what a person asks for, with a sentence for each thing that cannot be."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from dashboard.cloudflare import types
from dashboard.forms.events import EventFields
from dashboard.insight import restart, words
from dashboard.models.operation import Kind

#: Steps that a restart offers in its own form.
MOST_STEPS = 200


class OperationForm(forms.Form):
    """What every operation carries: its kind, where, why, and the form's own key."""

    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)
    account_id = forms.CharField(max_length=64, widget=forms.HiddenInput)
    workflow_name = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=2000,
        required=False,
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept with your name, so that the next on call can read it."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "prose"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # In a dialog the first field has the focus, not the button that closes it.
        self.visible_fields()[0].field.widget.attrs["autofocus"] = True

    @property
    def broken_parts(self) -> list[str]:
        """What is wrong with fields that nobody sees, in sentences."""
        return [
            gettext(
                "This form came back damaged (%(field)s: %(problem)s) Open it again from its page."
            )
            % {"field": field.name, "problem": error}
            for field in self.hidden_fields()
            for error in field.errors
        ]

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instance, as it is kept and shown."""
        return {}


class InstanceOperationForm(OperationForm):
    """An action on one instance."""

    instance_id = forms.CharField(max_length=271, widget=forms.HiddenInput, strip=False)
    seen_generation = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ReasonedForm(InstanceOperationForm):
    """An action that cannot be undone: it takes a reason."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = gettext(
            "Say why; it is kept with your name."
        )


class TerminateForm(ReasonedForm):
    """The end of an instance, with or without undoing its steps."""

    field_order = ("rollback", "reason")

    rollback = forms.BooleanField(
        required=False,
        label=gettext_lazy("Run the rollback steps first"),
        help_text=gettext_lazy(
            "Steps that registered a rollback are undone before the instance ends."
        ),
    )

    def arguments(self) -> dict[str, Any]:
        return {"rollback": True} if self.cleaned_data["rollback"] else {}


class RestartForm(ReasonedForm):
    """A new start, whole or from one of the steps that were last seen."""

    field_order = ("restart_from", "reason", "without_evidence")

    restart_from = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Restart from"),
        help_text=gettext_lazy(
            "From a step: what ended before it keeps its output; it, and everything that "
            "started after it, runs again."
        ),
    )

    without_evidence = forms.BooleanField(
        required=False,
        label=gettext_lazy("Restart anyway"),
        help_text=gettext_lazy("What could not be kept is erased for good."),
    )

    def __init__(
        self, *args: Any, detail: types.InstanceDetail | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        # Nobody is asked before it is known that something cannot be kept.
        if not (self.initial.get("without_evidence") or self.data.get("without_evidence")):
            del self.fields["without_evidence"]
        found = restart.restartable(detail) if detail else []
        self.steps = {str(step.index): step for step in found}
        field: Any = self.fields["restart_from"]
        field.choices = [
            ("", gettext("The beginning")),
            *((i, words.cut(step.name, words.NAME_LIMIT)) for i, step in self.steps.items()),
        ]
        field.widget.choices = self._offered(field.choices, detail)
        field.error_messages["invalid_choice"] = gettext(
            "The instance no longer has that step; choose again from what it has now."
        )

    def _offered(
        self, choices: list[tuple[str, str]], detail: types.InstanceDetail | None
    ) -> list[tuple[str, str]]:
        """Of thousands of steps the latest, what is proposed and what is chosen: the page of the
        instance leads here from any other."""
        best = restart.least_repeating(detail) if detail else None
        also = {"", str(self["restart_from"].value() or ""), str(best.index) if best else ""}
        latest = {index for index, _ in choices[-MOST_STEPS:]}
        return [(index, name) for index, name in choices if index in latest | also]

    def arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if step := self.steps.get(self.cleaned_data["restart_from"]):
            type_ = restart.TYPES[step.type].value
            start = {"name": step.base_name, "count": step.count, "type": type_}
            told = {name: value for name, value in start.items() if value is not None}
            arguments["from"] = told
        if self.cleaned_data.get("without_evidence"):
            arguments["without_evidence"] = True
        return arguments


class EventForm(EventFields, InstanceOperationForm):
    """An event to one instance."""

    field_order = ("event_type", "payload", "reason")


INSTANCE_FORMS: dict[Kind, type[InstanceOperationForm]] = {
    Kind.PAUSE: InstanceOperationForm,
    Kind.RESUME: InstanceOperationForm,
    Kind.RESTART: RestartForm,
    Kind.TERMINATE: TerminateForm,
    Kind.SEND_EVENT: EventForm,
}
