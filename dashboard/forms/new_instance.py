"""What Cloudflare takes of a new instance: its id, params, retention and place, each checked."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dashboard.cloudflare import types
from dashboard.insight.durations import duration
from dashboard.models.storing import storable_json

#: https://developers.cloudflare.com/api/resources/workflows/subresources/instances/methods/create/
INSTANCE_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9\-_]*")
LONGEST_ID = 100
RESERVED_ID = re.compile(r"cf_[0-9a-f]{64}")
LOCATION_HINTS = {
    "wnam": gettext_lazy("Western North America"),
    "enam": gettext_lazy("Eastern North America"),
    "weur": gettext_lazy("Western Europe"),
    "eeur": gettext_lazy("Eastern Europe"),
    "apac": gettext_lazy("Asia-Pacific"),
    "apac-ne": gettext_lazy("Northeast Asia-Pacific"),
    "apac-se": gettext_lazy("Southeast Asia-Pacific"),
    "oc": gettext_lazy("Oceania"),
    "sam": gettext_lazy("South America"),
    "afr": gettext_lazy("Africa"),
    "me": gettext_lazy("Middle East"),
}
#: What an entry of a batch may hold, in Cloudflare's words.
FIELDS = ("instance_id", "params", "instance_retention", "location_hint")


def read_entry(value: Any) -> types.NewInstance:
    """One entry of a batch, under its id or one made up; raises ValidationError with what cannot
    be."""
    if not isinstance(value, dict):
        raise forms.ValidationError(_("This is not a JSON object."))
    if unknown := sorted(set(value) - set(FIELDS)):
        raise forms.ValidationError(
            _("This has %(unknown)s; only %(known)s are known.")
            % {"unknown": ", ".join(unknown)[:200], "known": ", ".join(FIELDS)}
        )
    kept = value.get("instance_retention") or {}
    if not isinstance(kept, dict):
        raise forms.ValidationError(_("instance_retention is an object."))
    instance_id = value.get("instance_id")
    if not isinstance(instance_id, str | None):
        raise forms.ValidationError(_("instance_id is a text."))
    params = value.get("params")
    if _holds_nul(params):
        raise forms.ValidationError(
            _("params hold a NUL character, which cannot be kept until all are sent.")
        )
    return types.NewInstance(
        id=clean_instance_id(instance_id or ""),
        params=params,
        success_retention=clean_retention(kept.get("success_retention")),
        error_retention=clean_retention(kept.get("error_retention")),
        location_hint=_location_hint(value.get("location_hint") or ""),
    )


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
    if len(text) > LONGEST_ID or not INSTANCE_ID.fullmatch(text):
        raise forms.ValidationError(
            _(
                "“%(text)s” cannot be an instance id: up to 100 letters, digits, - and _, and no - "
                "at the start."
            )
            % {"text": text[:120]}
        )
    if RESERVED_ID.fullmatch(text):
        raise forms.ValidationError(_("Ids such as cf_… are reserved by Cloudflare."))
    return text


def clean_retention(value: Any) -> str | int | None:
    """Milliseconds when it is a number, otherwise the words as they stand; raises ValidationError
    for what is no duration."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    if value is None or value == "":
        return None
    is_one = not isinstance(value, bool) and isinstance(value, str | int)
    if not is_one or duration(value) is None or (isinstance(value, int) and value < 0):
        raise forms.ValidationError(
            _("“%(value)s” is no retention: write milliseconds, or words such as “3 days”.")
            % {"value": str(value)[:80]}
        )
    kept: str | int = value
    return kept


def _holds_nul(params: Any) -> bool:
    # Written as text most are seen at once to hold none, for a fifth of the cost.
    return "\\u0000" in json.dumps(params) and storable_json(params) != params


def _location_hint(value: Any) -> str:
    if value and (not isinstance(value, str) or value not in LOCATION_HINTS):
        raise forms.ValidationError(
            _("location_hint is one of %(known)s.") % {"known": ", ".join(LOCATION_HINTS)}
        )
    return str(value)
