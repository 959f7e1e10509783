"""New instances, one or up to a hundred: ids, params and what else Cloudflare takes."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django import forms

from dashboard.cloudflare import types
from dashboard.forms.json_text import JsonTextField
from dashboard.forms.operations import OperationForm

#: https://developers.cloudflare.com/api/resources/workflows/subresources/instances/methods/create/
INSTANCE_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9\-_]*")
RESERVED_ID = re.compile(r"cf_[0-9a-f]{64}")
BATCH_LIMIT = 100
LOCATION_HINTS = (
    "wnam", "weur", "enam", "eeur", "apac", "apac-ne", "apac-se", "oc", "sam", "afr", "me",
)  # fmt: skip
#: What an entry of a batch may hold, in Cloudflare's words.
BATCH_FIELDS = ("instance_id", "params", "instance_retention", "location_hint")


class CreateForm(OperationForm):
    """One new instance; without `has_retention` the target lets nobody choose how long it stays."""

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

    def __init__(self, *args: Any, has_retention: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_retention:
            for name in ("success_retention", "error_retention", "location_hint"):
                del self.fields[name]

    def clean_new_id(self) -> str:
        return clean_instance_id(self.cleaned_data["new_id"])

    def arguments(self) -> dict[str, Any]:
        [new] = self.new_instances()
        return arguments_of(new)

    def new_instances(self) -> list[types.NewInstance]:
        """The one to create, under the id given or one made up."""
        data = self.cleaned_data
        return [
            types.NewInstance(
                id=data["new_id"],
                params=data["params"],
                success_retention=retention(data.get("success_retention", "")),
                error_retention=retention(data.get("error_retention", "")),
                location_hint=data.get("location_hint", ""),
            )
        ]


class BatchForm(OperationForm):
    """Up to a hundred new instances, as the JSON array that Cloudflare's own API takes."""

    field_order = ("batch", "reason")

    batch = JsonTextField(
        label="Instances",
        help_text="A JSON array of 1 to 100 objects; each may have instance_id, params, "
        "instance_retention and location_hint. An empty object makes an id up.",
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "placeholder": '[{"instance_id": "a-1", "params": {"n": 1}}, {}]',
            }
        ),
    )

    def clean_batch(self) -> list[types.NewInstance]:
        value = self.cleaned_data["batch"]
        if not isinstance(value, list) or not 1 <= len(value) <= BATCH_LIMIT:
            has = f"; this one has {len(value):,}" if isinstance(value, list) else ""
            raise forms.ValidationError(f"Write a JSON array of 1 to 100 objects{has}.")
        new = [_read_entry(number, entry) for number, entry in enumerate(value, start=1)]
        ids = [one.id for one in new]
        if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            raise forms.ValidationError(f"These ids stand twice: {', '.join(twice)}.")
        return new

    def arguments(self) -> dict[str, Any]:
        return {
            "instances": [
                {"instance_id": new.id} | arguments_of(new) for new in self.new_instances()
            ]
        }

    def new_instances(self) -> list[types.NewInstance]:
        """Those to create, each under the id given or one made up."""
        new: list[types.NewInstance] = self.cleaned_data["batch"]
        return new


def _read_entry(number: int, value: Any) -> types.NewInstance:
    """One entry of a batch; raises ValidationError with its number and what cannot be."""
    if not isinstance(value, dict):
        raise forms.ValidationError(f"Instance {number} is not a JSON object.")
    if unknown := sorted(set(value) - set(BATCH_FIELDS)):
        raise forms.ValidationError(
            f"Instance {number} has {', '.join(unknown)}; only {', '.join(BATCH_FIELDS)} are known."
        )
    kept = value.get("instance_retention") or {}
    if not isinstance(kept, dict):
        raise forms.ValidationError(f"Instance {number}: instance_retention is an object.")
    hint = value.get("location_hint") or ""
    if hint and hint not in LOCATION_HINTS:
        raise forms.ValidationError(
            f"Instance {number}: location_hint is one of {', '.join(LOCATION_HINTS)}."
        )
    instance_id = value.get("instance_id")
    if not isinstance(instance_id, str | None):
        raise forms.ValidationError(f"Instance {number}: instance_id is a text.")
    try:
        return types.NewInstance(
            id=clean_instance_id(instance_id or ""),
            params=value.get("params"),
            success_retention=_read_retention(kept.get("success_retention")),
            error_retention=_read_retention(kept.get("error_retention")),
            location_hint=hint,
        )
    except forms.ValidationError as error:
        raise forms.ValidationError(f"Instance {number}: {error.messages[0]}") from error


def _read_retention(value: Any) -> str | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise forms.ValidationError(
            "a retention is a number of milliseconds, or words such as “3 days”."
        )
    return value


def arguments_of(new: types.NewInstance) -> dict[str, Any]:
    """What is kept of a new instance, besides its id."""
    given = {
        "params": new.params,
        "success_retention": new.success_retention,
        "error_retention": new.error_retention,
        "location_hint": new.location_hint or None,
    }
    return {name: value for name, value in given.items() if value is not None}


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


def retention(text: str) -> str | int | None:
    """Milliseconds when it is a number, otherwise the words as they stand."""
    return int(text) if text.isascii() and text.isdigit() else (text or None)
