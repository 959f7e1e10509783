"""Untrusted input: what a person asks for, with a sentence for each thing that cannot be."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django import forms

from dashboard.cloudflare import types
from dashboard.models.operation import Kind

#: https://developers.cloudflare.com/api/resources/workflows/subresources/instances/methods/create/
INSTANCE_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9\-_]*")
RESERVED_ID = re.compile(r"cf_[0-9a-f]{64}")
BATCH_LIMIT = 100
LOCATION_HINTS = [
    "wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me",
]  # fmt: skip
NEEDS_REASON = frozenset({Kind.RESTART, Kind.TERMINATE})


class JsonTextField(forms.CharField):
    """A JSON value as text; empty is None."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error


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
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # In a dialog the first field has the focus, not the button that closes it.
        self.visible_fields()[0].field.widget.attrs["autofocus"] = True

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instance, as it is kept and shown."""
        return {}


class InstanceOperationForm(OperationForm):
    """An action on one instance."""

    instance_id = forms.CharField(max_length=271, widget=forms.HiddenInput)
    seen_generation = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ReasonedForm(InstanceOperationForm):
    """An action that cannot be undone: it takes a reason."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "Say why; it is kept with your name."


class TerminateForm(ReasonedForm):
    field_order = ("rollback", "reason")

    rollback = forms.BooleanField(
        required=False,
        label="Run the rollback steps first",
        help_text="Steps that registered a rollback are undone before the instance ends.",
    )

    def arguments(self) -> dict[str, Any]:
        return {"rollback": True} if self.cleaned_data["rollback"] else {}


class RestartForm(ReasonedForm):
    field_order = ("restart_from", "reason")

    restart_from = forms.ChoiceField(
        required=False,
        label="Restart from",
        help_text="That step, and everything that started after it, runs again.",
    )

    def __init__(self, *args: Any, steps: tuple[types.Step, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps = {
            str(step.index): step for step in steps if restart_type(step.type) and step.base_name
        }
        self.fields["restart_from"].choices = [  # type: ignore[attr-defined]
            ("", "The beginning"),
            *((index, step.name) for index, step in self.steps.items()),
        ]

    def arguments(self) -> dict[str, Any]:
        step = self.steps.get(self.cleaned_data["restart_from"])
        if step is None:
            return {}
        start = {"name": step.base_name, "count": step.count, "type": restart_type(step.type)}
        return {"from": {name: value for name, value in start.items() if value is not None}}


class EventForm(InstanceOperationForm):
    field_order = ("event_type", "payload", "reason")

    event_type = forms.CharField(max_length=100, label="Event type")
    payload = JsonTextField(
        required=False,
        label="Payload",
        help_text="Any JSON; nothing sends null.",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def arguments(self) -> dict[str, Any]:
        return {
            "event_type": self.cleaned_data["event_type"],
            "payload": self.cleaned_data["payload"],
        }


class CreateForm(OperationForm):
    """One new instance."""

    field_order = (
        "new_id", "params", "success_retention", "error_retention", "location_hint", "reason",
    )  # fmt: skip

    new_id = forms.CharField(
        max_length=100,
        required=False,
        label="Instance id",
        help_text="Letters, digits, - and _; empty makes one up.",
    )
    params = JsonTextField(
        required=False,
        label="Params",
        help_text="Any JSON.",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )
    success_retention = forms.CharField(
        max_length=40,
        required=False,
        label="Kept after success",
        help_text="Milliseconds, or words such as “3 days”; empty keeps the workflow's own.",
    )
    error_retention = forms.CharField(max_length=40, required=False, label="Kept after an error")
    location_hint = forms.ChoiceField(
        required=False,
        label="Location hint",
        choices=[("", "None"), *((hint, hint) for hint in LOCATION_HINTS)],
    )

    def clean_new_id(self) -> str:
        return clean_instance_id(self.cleaned_data["new_id"])

    def arguments(self) -> dict[str, Any]:
        asked = ("params", "success_retention", "error_retention", "location_hint")
        return {name: self.cleaned_data[name] for name in asked if self.cleaned_data[name]}

    def new_instances(self) -> list[types.NewInstance]:
        data = self.cleaned_data
        return [
            types.NewInstance(
                id=data["new_id"],
                params=data["params"],
                success_retention=retention(data["success_retention"]),
                error_retention=retention(data["error_retention"]),
                location_hint=data["location_hint"],
            )
        ]


class BatchForm(OperationForm):
    """Up to a hundred new instances, as the JSON array that Cloudflare's own API takes."""

    field_order = ("batch", "reason")

    batch = JsonTextField(
        label="Instances",
        help_text='A JSON array of 1 to 100, such as [{"instance_id": "a-1", "params": {}}, {}].',
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )

    def clean_batch(self) -> list[types.NewInstance]:
        value = self.cleaned_data["batch"]
        if not isinstance(value, list) or not 1 <= len(value) <= BATCH_LIMIT:
            raise forms.ValidationError("Write a JSON array of 1 to 100 objects.")
        new = [self._new_instance(number, one) for number, one in enumerate(value, start=1)]
        ids = [one.id for one in new]
        if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            raise forms.ValidationError(f"These ids stand twice: {', '.join(twice)}.")
        return new

    def _new_instance(self, number: int, value: Any) -> types.NewInstance:
        known = {"instance_id", "params", "instance_retention", "location_hint"}
        if not isinstance(value, dict):
            raise forms.ValidationError(f"Instance {number} is not a JSON object.")
        if unknown := sorted(set(value) - known):
            raise forms.ValidationError(f"Instance {number} has unknown fields: {unknown}.")
        kept = value.get("instance_retention") or {}
        if not isinstance(kept, dict):
            raise forms.ValidationError(f"Instance {number}: instance_retention is an object.")
        return types.NewInstance(
            id=clean_instance_id(str(value.get("instance_id") or "")),
            params=value.get("params"),
            success_retention=kept.get("success_retention"),
            error_retention=kept.get("error_retention"),
            location_hint=str(value.get("location_hint") or ""),
        )

    def arguments(self) -> dict[str, Any]:
        return {"params": {new.id: new.params for new in self.new_instances() if new.params}}

    def new_instances(self) -> list[types.NewInstance]:
        new: list[types.NewInstance] = self.cleaned_data["batch"]
        return new


FORMS: dict[Kind, type[OperationForm]] = {
    Kind.PAUSE: InstanceOperationForm,
    Kind.RESUME: InstanceOperationForm,
    Kind.RESTART: RestartForm,
    Kind.TERMINATE: TerminateForm,
    Kind.SEND_EVENT: EventForm,
    Kind.CREATE: CreateForm,
}


def clean_instance_id(text: str) -> str:
    """The id, or one made up when there is none; raises ValidationError for one that cannot be."""
    if not text:
        return str(uuid.uuid4())
    if len(text) > 100 or not INSTANCE_ID.fullmatch(text):
        raise forms.ValidationError(
            f"“{text[:120]}” cannot be an instance id: up to 100 letters, digits, - and _, and no "
            "- at the start."
        )
    if RESERVED_ID.fullmatch(text):
        raise forms.ValidationError("Ids such as cf_… are reserved by Cloudflare.")
    return text


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


def retention(text: str) -> str | int | None:
    """Milliseconds when it is a number, otherwise the words as they stand."""
    return int(text) if text.isdigit() else (text or None)
