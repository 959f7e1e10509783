"""JSON that people type: what cannot be sent or kept is refused with a sentence."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django import forms
from django.utils.translation import gettext as _


class JsonTextField(forms.CharField):
    """A JSON value as text; empty is None."""

    widget = forms.Textarea

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """What the script knows it by."""
        return super().widget_attrs(widget) | {"data-json": True}

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return read_json(text) if text else None


def read_json(text: str) -> Any:
    """The value; raises ValidationError for what is not JSON, or what no JSON can be made of.

    Python reads more than JSON allows: NaN, numbers beyond any float, half a character.
    """
    try:
        value = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise forms.ValidationError(what_is_wrong(error)) from error
    check_sendable(value)
    return value


def check_sendable(value: Any) -> None:
    """Raises ValidationError for a value that was read as JSON and cannot be sent as such."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError) as error:
        raise forms.ValidationError(what_is_wrong(error)) from error


def what_is_wrong(error: Exception) -> str:
    """A failure to read or write JSON as a sentence."""
    if isinstance(error, UnicodeEncodeError):
        return _("This holds half a character (a lone surrogate such as \\ud800).")
    if isinstance(error, RecursionError):
        return _("This is nested too deeply.")
    if isinstance(error, json.JSONDecodeError) and error.lineno == 1:
        return _("This is not JSON: %(problem)s at character %(place)s.") % {
            "problem": error.msg,
            "place": f"{error.colno:,}",
        }
    return _("This is not JSON: %(problem)s.") % {"problem": error}


def _refuse(word: str) -> NoReturn:
    raise ValueError(_("%(word)s is no number that JSON knows") % {"word": word})


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(_("%(number)s is too large a number") % {"number": text[:40]})
    return number


#: Reads what JSON allows and nothing else, as far as Python can be told so.
DECODER = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
