"""An operation on many: what it needs besides the instances, and how carefully it goes."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Kept with your name, so that the next on call can read it."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "prose"}),
    )
    typed = forms.CharField(
        max_length=20, label=gettext_lazy("Type the number of instances"), widget=forms.TextInput()
    )
    waves = forms.CharField(
        max_length=60,
        required=False,
        label=gettext_lazy("First waves"),
        help_text=gettext_lazy(
            "How many first, and then, before all the rest; empty begins with the rest."
        ),
    )
    stop_above = forms.IntegerField(
        min_value=0,
        max_value=100,
        label=gettext_lazy("Stop above"),
        help_text=gettext_lazy(
            "Percent of a wave that failed; it then waits for somebody to decide."
        ),
    )

    field_order: tuple[str, ...] = ("reason", "typed")

    def __init__(self, *args: Any, kind: Kind, acted_on: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.acted_on = acted_on
        self.initial.setdefault("waves", ", ".join(map(str, WAVES)))
        self.initial.setdefault("stop_above", STOP_ABOVE)
        if kind in DANGEROUS:
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = _(
                "Say why; it is kept with your name."
            )
        if kind not in DANGEROUS or acted_on <= TYPED_ABOVE:
            del self.fields["typed"]
        else:
            self.fields["typed"].help_text = _("%(number)s: this cannot be undone.") % {
                "number": f"{acted_on:,}"
            }
            self.fields["typed"].widget.attrs.update(autocomplete="off", inputmode="numeric")

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if re.sub(r"[\s,.]", "", typed) != str(self.acted_on):
            raise forms.ValidationError(
                _("It would be sent to %(number)s instances now, not to %(typed)s.")
                % {"number": f"{self.acted_on:,}", "typed": typed}
            )
        return typed

    def clean_waves(self) -> list[int]:
        text: str = self.cleaned_data["waves"]
        words = [word for word in re.split(r"[\s,]+", text) if word]
        sizes = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 5]
        if len(sizes) < len(words) or not all(1 <= size <= LARGEST_WAVE for size in sizes):
            raise forms.ValidationError(
                _(
                    "“%(text)s” are no sizes of waves; write numbers from 1 to %(most)s, "
                    "such as 1, 5, 25."
                )
                % {"text": text, "most": LARGEST_WAVE}
            )
        if len(sizes) > MOST_WAVES:
            raise forms.ValidationError(
                _("That are more than %(most)s waves before the rest.") % {"most": MOST_WAVES}
            )
        return sizes

    def arguments(self) -> dict[str, Any]:
        """What the action needs besides the instances, as it is kept and shown."""
        return {}


class BulkTerminateForm(BulkForm):
    """The end of each, with or without undoing its steps."""

    field_order = ("rollback", "reason", "typed")

    rollback = forms.BooleanField(
        required=False,
        label=gettext_lazy("Run the rollback steps first"),
        help_text=gettext_lazy(
            "Steps that registered a rollback are undone before the instance ends."
        ),
    )

    def arguments(self) -> dict[str, Any]:
        return {"rollback": True} if self.cleaned_data["rollback"] else {}


class BulkRestartForm(BulkForm):
    """A new start of each, whole or from the same step."""

    field_order = ("step_name", "step_count", "step_type", "without_evidence", "reason", "typed")

    step_name = forms.CharField(
        max_length=256,
        required=False,
        label=gettext_lazy("Restart from the step"),
        help_text=gettext_lazy(
            "Its name without the counter; empty restarts from the beginning. An "
            "instance without such a step fails, and is not changed."
        ),
    )
    step_count = forms.IntegerField(
        min_value=1,
        required=False,
        label=gettext_lazy("Which of that name"),
        help_text=gettext_lazy("1 is the first."),
    )
    step_type = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Type of the step"),
        choices=[
            (RestartType.DO.value, "step.do"),
            (RestartType.SLEEP.value, "step.sleep"),
            (RestartType.WAIT_FOR_EVENT.value, gettext_lazy("step.waitForEvent")),
        ],
    )
    without_evidence = forms.BooleanField(
        required=False,
        label=gettext_lazy("Restart anyway"),
        help_text=gettext_lazy(
            "Also those of which something could not be kept: it is erased for good."
        ),
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
        more = _("Each instance gets the same.")
        self.fields["payload"].help_text = f"{self.fields['payload'].help_text} {more}"

    def clean_payload(self) -> Any:
        """One to a single instance is sent as it was typed, this one as it was kept."""
        payload = self.cleaned_data["payload"]
        if storable_json(payload) != payload:
            raise forms.ValidationError(
                _("This holds a NUL character, which cannot be kept until all are sent.")
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
