"""Untrusted input: what a person asks for, with a sentence for each thing that cannot be."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.cloudflare import types
from dashboard.forms.events import EventFields
from dashboard.models.operation import Kind


class OperationForm(forms.Form):
    """What every operation carries: its kind, where, why, and the form's own key."""

    kind = forms.ChoiceField(choices=Kind.choices, widget=forms.HiddenInput)
    key = forms.UUIDField(widget=forms.HiddenInput)
    account_id = forms.CharField(max_length=64, widget=forms.HiddenInput)
    workflow_name = forms.CharField(max_length=64, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=2000,
        required=False,
        label="Reason",
        help_text="Kept with your name, so that the next on call can read it.",
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
            f"This form came back damaged ({field.name}: {error}) Open it again from its page."
            for field in self.hidden_fields()
            for error in field.errors
        ]

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instance, as it is kept and shown."""
        return {}

    def new_instances(self) -> list[types.NewInstance]:
        """Those to create; none for an action on an instance that exists."""
        return []


class InstanceOperationForm(OperationForm):
    """An action on one instance."""

    instance_id = forms.CharField(max_length=271, widget=forms.HiddenInput, strip=False)
    seen_generation = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ReasonedForm(InstanceOperationForm):
    """An action that cannot be undone: it takes a reason."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "Say why; it is kept with your name."


class TerminateForm(ReasonedForm):
    """The end of an instance, with or without undoing its steps."""

    field_order = ("rollback", "reason")

    rollback = forms.BooleanField(
        required=False,
        label="Run the rollback steps first",
        help_text="Steps that registered a rollback are undone before the instance ends.",
    )

    def arguments(self) -> dict[str, Any]:
        return {"rollback": True} if self.cleaned_data["rollback"] else {}


class RestartForm(ReasonedForm):
    """A new start, whole or from one of the steps that were last seen."""

    field_order = ("restart_from", "reason")

    restart_from = forms.ChoiceField(
        required=False,
        label="Restart from",
        help_text="From a step: what ended before it keeps its output; it, and everything that "
        "started after it, runs again.",
    )

    def __init__(self, *args: Any, steps: tuple[types.Step, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps = {
            str(step.index): step for step in steps if restart_type(step.type) and step.base_name
        }
        field = self.fields["restart_from"]
        field.choices = [  # type: ignore[attr-defined]
            ("", "The beginning"),
            *((index, step.name) for index, step in self.steps.items()),
        ]
        field.error_messages["invalid_choice"] = (
            "The instance no longer has that step; choose again from what it has now."
        )

    def arguments(self) -> dict[str, Any]:
        step = self.steps.get(self.cleaned_data["restart_from"])
        if step is None:
            return {}
        start = {"name": step.base_name, "count": step.count, "type": restart_type(step.type)}
        return {"from": {name: value for name, value in start.items() if value is not None}}


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


def restart_type(step_type: types.StepType) -> str:
    """How the restart body names this type; "" for one that nothing can be restarted from."""
    match step_type:
        case types.StepType.STEP:
            return types.RestartType.DO.value
        case types.StepType.SLEEP:
            return types.RestartType.SLEEP.value
        case types.StepType.WAIT_FOR_EVENT:
            return types.RestartType.WAIT_FOR_EVENT.value
    return ""
