"""New instances: one with all that Cloudflare takes, or a batch of any size from text or a file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TextIO

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dashboard.cloudflare import types
from dashboard.forms.batch_rows import Problem, Row, read_rows
from dashboard.forms.json_text import JsonTextField
from dashboard.forms.new_instance import (
    LOCATION_HINTS,
    LONGEST_ID,
    arguments_of,
    clean_instance_id,
    clean_retention,
)
from dashboard.forms.operations import OperationForm
from dashboard.operations import New

#: So many wrong lines are named; the others are counted.
PROBLEMS_SHOWN = 20


class CreateForm(OperationForm):
    """One new instance; without `has_retention` the target lets nobody choose how long it stays."""

    field_order = (
        "new_id", "params", "success_retention", "error_retention", "location_hint", "reason",
    )  # fmt: skip

    new_id = forms.CharField(
        max_length=LONGEST_ID,
        required=False,
        label=gettext_lazy("Instance id"),
        help_text=gettext_lazy(
            "Up to 100 letters, digits, - and _, and no - at the start; empty makes one up."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    params = JsonTextField(
        required=False,
        label=gettext_lazy("Params"),
        help_text=gettext_lazy("Any JSON, up to 1 MiB."),
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
    )
    success_retention = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Kept after success"),
        help_text=gettext_lazy(
            "Milliseconds, or words such as “3 days”; empty keeps the workflow's own."
        ),
    )
    error_retention = forms.CharField(
        max_length=40,
        required=False,
        label=gettext_lazy("Kept after an error"),
        help_text=gettext_lazy("The same."),
    )
    location_hint = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Location hint"),
        help_text=gettext_lazy("Where it had best run; Cloudflare may choose another place."),
        choices=lambda: [
            ("", _("None")),
            *((hint, f"{hint}: {place}") for hint, place in LOCATION_HINTS.items()),
        ],
    )

    def __init__(self, *args: Any, has_retention: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_retention:
            for name in ("success_retention", "error_retention", "location_hint"):
                del self.fields[name]

    def clean_new_id(self) -> str:
        return clean_instance_id(self.cleaned_data["new_id"])

    def clean_success_retention(self) -> str | int | None:
        return clean_retention(self.cleaned_data["success_retention"])

    def clean_error_retention(self) -> str | int | None:
        return clean_retention(self.cleaned_data["error_retention"])

    def arguments(self) -> dict[str, Any]:
        return arguments_of(self.new_instance)

    @cached_property
    def new_instance(self) -> types.NewInstance:
        """The one to create, under the id given or one made up."""
        data = self.cleaned_data
        return types.NewInstance(
            id=data["new_id"],
            params=data["params"],
            success_retention=data.get("success_retention"),
            error_retention=data.get("error_retention"),
            location_hint=data.get("location_hint", ""),
        )


class BatchForm(OperationForm):
    """New instances of any number, pasted or as a file. A valid form has read all of them once;
    `rows` reads them again, so that they are never all in memory."""

    field_order = ("file", "batch", "reason")

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "As UTF-8, of any size: a JSON array, one JSON object on each line, or CSV."
        ),
        widget=forms.FileInput(attrs={"accept": ".json,.ndjson,.jsonl,.csv,.tsv,.txt"}),
    )
    batch = forms.CharField(
        required=False,
        strip=False,
        label=gettext_lazy("Or pasted here"),
        help_text=gettext_lazy(
            "Each object may have instance_id, params, instance_retention and "
            "location_hint. CSV begins with the names of its columns: instance_id, "
            "params as JSON or params.NAME as text, success_retention, error_retention, "
            "location_hint. An id that is missing is made up."
        ),
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "placeholder": '{"instance_id": "a-1", "params": {"n": 1}}\n{"params": {"n": 2}}',
            }
        ),
    )

    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        file, text = self.cleaned_data.get("file"), self.cleaned_data.get("batch", "")
        if file and text.strip():
            self.add_error("file", _("Choose a file or paste text, not both."))
        elif not file and not text.strip():
            self.add_error("batch", _("Choose a file, or paste the instances here."))
        else:
            self._check("file" if file else "batch")
        return data

    def _check(self, source: str) -> None:
        found, number, seen = [], 0, dict[int, int]()
        problems = 0
        for row in self._read():
            problem = row if isinstance(row, Problem) else _repeated(row, seen)
            if problem is None:
                number += 1
                continue
            problems += 1
            if problems <= PROBLEMS_SHOWN or problem.is_last:
                found.append(str(problem))
        if problems > len(found):
            more = problems - len(found)
            sentence = ngettext(
                "%(number)s more lines are wrong.", "%(number)s more lines are wrong.", more
            )
            found.append(sentence % {"number": f"{more:,}"})
        if not found and not number:
            found.append(_("There is no instance in this."))
        if found and source == "file":
            found.append(_("Choose the file again once it is mended: no browser sends it twice."))
        for sentence in found:
            self.add_error(source, sentence)

    def rows(self) -> Iterator[New]:
        """Each new instance, in the order of the input; those without an id get one made up."""
        for row in self._read():
            if isinstance(row, Row):
                arguments = {"line": row.line} | arguments_of(row.new)
                yield New(row.new.id, arguments, has_own_id=row.has_own_id)

    @property
    def source(self) -> str:
        """The name of the file; "" for what was pasted."""
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        return (file.name or "")[:200] if file else ""

    def arguments(self) -> dict[str, Any]:
        return {"source": self.source} if self.source else {}

    def _read(self) -> Iterator[Row | Problem]:
        file: UploadedFile[Any] | None = self.cleaned_data.get("file")
        if file is None:
            text = self.cleaned_data["batch"].removeprefix("\ufeff")
            yield from read_rows(io.StringIO(text, newline=""))
        else:
            with _as_text(file) as opened:
                yield from read_rows(opened)


@contextmanager
def _as_text(file: UploadedFile[Any]) -> Iterator[TextIO]:
    """The file as text, which stays open."""
    text = io.TextIOWrapper(file.file, encoding="utf-8-sig", newline="")  # type: ignore[type-var]
    try:
        yield text
    finally:
        text.detach()


def _repeated(row: Row, seen: dict[int, int]) -> Problem | None:
    """What is wrong with an id that stood before. `seen`: which instance had each, by its hash: the
    ids themselves would take three times the memory."""
    if not row.has_own_id:
        return None
    first = seen.setdefault(hash(row.new.id), row.number)
    if first == row.number:
        return None
    words = _("Instance %(number)s has the id %(id)s already.") % {
        "number": f"{first:,}",
        "id": row.new.id,
    }
    return Problem(row.line, words, number=row.number)
