"""JSON that people type: what cannot be sent or kept is refused with a sentence."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from django import forms


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
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise forms.ValidationError(
            "This holds half a character (a lone surrogate such as \\ud800)."
        ) from error
    except RecursionError as error:
        raise forms.ValidationError("This is nested too deeply.") from error
    except ValueError as error:
        raise forms.ValidationError(f"This is not JSON: {error}.") from error
    return value


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number
