"""An operation on many: what it needs besides the instances, and how carefully it goes."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms

from dashboard.cloudflare.types import RestartType
from dashboard.forms.events import EventFields
from dashboard.models.operation import Kind, Operation
from dashboard.models.storing import storable_json
from dashboard.operations import DANGEROUS, STOP_ABOVE, WAVES

LARGEST_WAVE = 100
MOST_WAVES = 10
#: Above so many, what cannot be undone wants the number typed.
TYPED_ABOVE = 10


class BulkForm(forms.Form):
    """What every operation on many has. `acted_on`: how many instances it would be sent to now."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=2000,
        required=False,
        label="Reason",
        help_text="Kept with your name, so that the next on call can read it.",
        widget=forms.Textarea(attrs={"rows": 2, "class": "prose"}),
    )
    typed = forms.CharField(
        max_length=20, label="Type the number of instances", widget=forms.TextInput()
    )
    waves = forms.CharField(
        max_length=60,
        required=False,
        label="First waves",
        help_text="How many first, and then, before all the rest; empty begins with the rest.",
    )
    stop_above = forms.IntegerField(
        min_value=0,
        max_value=100,
        label="Stop above",
        help_text="Percent of a wave that failed; it then waits for somebody to decide.",
    )

    field_order: tuple[str, ...] = ("reason", "typed")

    def __init__(self, *args: Any, kind: Kind, acted_on: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acted_on = acted_on
        self.initial.setdefault("waves", ", ".join(map(str, WAVES)))
        self.initial.setdefault("stop_above", STOP_ABOVE)
        if kind in DANGEROUS:
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = "Say why; it is kept with your name."
        if kind not in DANGEROUS or acted_on <= TYPED_ABOVE:
            del self.fields["typed"]
        else:
            self.fields["typed"].help_text = f"{acted_on:,}: this cannot be undone."
            self.fields["typed"].widget.attrs.update(autocomplete="off", inputmode="numeric")

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if re.sub(r"[\s,.]", "", typed) != str(self.acted_on):
            raise forms.ValidationError(
                f"It would be sent to {self.acted_on:,} instances now, not to {typed}."
            )
        return typed

    def clean_waves(self) -> list[int]:
        text: str = self.cleaned_data["waves"]
        words = [word for word in re.split(r"[\s,]+", text) if word]
        sizes = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 5]
        if len(sizes) < len(words) or not all(1 <= size <= LARGEST_WAVE for size in sizes):
            raise forms.ValidationError(
                f"“{text}” are no sizes of waves; write numbers from 1 to {LARGEST_WAVE}, such as "
                "1, 5, 25."
            )
        if len(sizes) > MOST_WAVES:
            raise forms.ValidationError(f"That are more than {MOST_WAVES} waves before the rest.")
        return sizes

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instances, as it is kept and shown."""
        return {}


class BulkTerminateForm(BulkForm):
    """The end of each, with or without undoing its steps."""

    field_order = ("rollback", "reason", "typed")

    rollback = forms.BooleanField(
        required=False,
        label="Run the rollback steps first",
        help_text="Steps that registered a rollback are undone before the instance ends.",
    )

    def arguments(self) -> dict[str, Any]:
        return {"rollback": True} if self.cleaned_data["rollback"] else {}


class BulkRestartForm(BulkForm):
    """A new start of each, whole or from the same step."""

    field_order = ("step_name", "step_count", "step_type", "without_evidence", "reason", "typed")

    step_name = forms.CharField(
        max_length=256,
        required=False,
        label="Restart from the step",
        help_text="Its name without the counter; empty restarts from the beginning. An instance "
        "without such a step fails, and is not changed.",
    )
    step_count = forms.IntegerField(
        min_value=1, required=False, label="Which of that name", help_text="1 is the first."
    )
    step_type = forms.ChoiceField(
        required=False,
        label="Type of the step",
        choices=[
            (RestartType.DO.value, "step.do"),
            (RestartType.SLEEP.value, "step.sleep"),
            (RestartType.WAIT_FOR_EVENT.value, "step.waitForEvent"),
        ],
    )
    without_evidence = forms.BooleanField(
        required=False,
        label="Restart anyway",
        help_text="Also those of which something could not be kept: it is erased for good.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Only who has seen what could not be kept is asked: it failed the first time.
        if not self.initial.get("is_retry"):
            del self.fields["without_evidence"]

    def arguments(self) -> dict[str, Any]:
        data = self.cleaned_data
        arguments: dict[str, Any] = {}
        if data["step_name"]:
            start = {
                "name": data["step_name"],
                "count": data["step_count"],
                "type": data["step_type"] or RestartType.DO.value,
            }
            told = {name: value for name, value in start.items() if value is not None}
            arguments["from"] = told
        if data.get("without_evidence"):
            arguments["without_evidence"] = True
        return arguments


class BulkEventForm(EventFields, BulkForm):
    """The same event to each."""

    field_order = ("event_type", "payload", "reason", "typed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payload"].help_text += " Each instance gets the same."

    def clean_payload(self) -> Any:
        """One to a single instance is sent as it was typed, this one as it was kept."""
        payload = self.cleaned_data["payload"]
        if storable_json(payload) != payload:
            raise forms.ValidationError(
                "This holds a NUL character, which cannot be kept until all are sent."
            )
        return payload


BULK_FORMS: dict[Kind, type[BulkForm]] = {
    Kind.PAUSE: BulkForm,
    Kind.RESUME: BulkForm,
    Kind.SEND_EVENT: BulkEventForm,
    Kind.RESTART: BulkRestartForm,
    Kind.TERMINATE: BulkTerminateForm,
    Kind.DELETE: BulkForm,
}


def initial_of(operation: Operation) -> dict[str, Any]:
    """The fields that ask for the same again."""
    arguments = operation.arguments
    start, payload = arguments.get("from") or {}, arguments.get("payload")
    return {
        "is_retry": True,
        "rollback": bool(arguments.get("rollback")),
        "event_type": arguments.get("event_type", ""),
        "payload": json.dumps(payload, ensure_ascii=False) if payload is not None else "",
        "step_name": start.get("name", ""),
        "step_count": start.get("count"),
        "step_type": start.get("type", RestartType.DO.value),
        "stop_above": operation.stop_above,
    }
