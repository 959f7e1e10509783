"""How the list looks: its columns, in order, and how dense it is. Part of its address."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

#: A place in the params or the output, such as params.customer.id or output.items[0].price.
PAYLOAD_PATH = re.compile(r"(params|output)((\.[\w$-]+|\[\d{1,6}\])*)")
MOST_COLUMNS = 24
MOST_PAYLOADS = 4
DENSITIES = ("compact", "comfortable")


class TextsField(forms.Field):
    """A parameter that may be repeated; NUL and blanks fall away."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: list[str] | None) -> str:
        return ",".join(value or ()).replace("\0", "")


class LooksForm(forms.Form):
    """Reads `columns` (repeated, or with commas) and `density`.

    `columns` holds those that could be read, in order; `earlier` names one to move a place ahead.
    """

    columns = TextsField(required=False)
    density = forms.CharField(required=False, max_length=20)

    def __init__(self, data: QueryDict, *, known: Iterable[str], default: Iterable[str]) -> None:
        super().__init__(data)
        self.address = data
        self.known = set(known)
        self.default = tuple(default)
        self.chosen = self.default
        self.is_valid()  # What could be read is used, whatever else could not.

    def clean_columns(self) -> tuple[str, ...]:
        written = self.cleaned_data["columns"].split(",")
        wanted = list(dict.fromkeys(filter(None, map(str.strip, written))))
        strange = [key for key in wanted if not self._is_column(key)]
        readable = [key for key in wanted if key not in strange]
        paths = [key for key in readable if key not in self.known]
        self.chosen = tuple(key for key in readable if key not in paths[MOST_PAYLOADS:])
        self.chosen = self.chosen[:MOST_COLUMNS] or self.default
        if strange:
            raise forms.ValidationError(
                _(
                    "“%(name)s” is no column; a place in a payload is written as "
                    "params.customer.id or output.items[0]."
                )
                % {"name": strange[0][:40]}
            )
        if len(paths) > MOST_PAYLOADS:
            raise forms.ValidationError(
                _("At most %(most)s columns may be of payloads.") % {"most": MOST_PAYLOADS}
            )
        return self.chosen

    def clean_density(self) -> str:
        density = self.cleaned_data["density"] or DENSITIES[0]
        if density not in DENSITIES:
            raise forms.ValidationError(
                _("“%(name)s” is no density: %(known)s.")
                % {"name": density, "known": ", ".join(DENSITIES)}
            )
        return str(density)

    @property
    def arranged(self) -> tuple[str, ...]:
        """The columns with the one that is to move a place ahead."""
        columns = list(self.chosen)
        place = columns.index(moved) if (moved := self.address.get("earlier")) in columns else 0
        if place:
            columns[place - 1 : place + 1] = columns[place - 1 : place + 1][::-1]
        return tuple(columns)

    @property
    def text(self) -> str:
        """The columns for an address; "" for the usual ones."""
        return "" if self.arranged == self.default else ",".join(self.arranged)

    @property
    def is_untidy(self) -> bool:
        """True for what the form sends: each box by itself, and a column that is to move."""
        written = self.address.getlist("columns")
        is_usual = not self.errors and bool(written) and not self.text
        return len(written) > 1 or "earlier" in self.address or is_usual

    def _is_column(self, key: str) -> bool:
        return key in self.known or bool(len(key) <= 100 and PAYLOAD_PATH.fullmatch(key))
