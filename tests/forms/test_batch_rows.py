"""Many new instances as text: what is read, and what is said of each line that cannot be."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.forms import batch_rows
from dashboard.forms.batch_rows import Problem, Row, read_rows
from dashboard.forms.creating import BatchForm
from tests.forms.test_operation_forms import COMMON, VALUES


def read(text: str) -> list[Row | Problem]:
    return list(read_rows(io.StringIO(text, newline="")))


def problems(text: str) -> list[str]:
    return [str(row) for row in read(text) if isinstance(row, Problem)]


def params(text: str) -> list[Any]:
    assert problems(text) == []
    return [row.new.params for row in read(text) if isinstance(row, Row)]


@given(st.lists(VALUES.filter(lambda value: "\\u0000" not in json.dumps(value))), st.booleans())
@example([None, "a\nb", {"x": ["]", "}"]}], True)
def test_an_array_and_lines_say_the_same_however_they_are_written(
    values: list[Any], is_wide: bool
) -> None:
    entries = [{"params": value} for value in values]
    lines = "\n\n".join(json.dumps(entry) for entry in entries)

    assert params(json.dumps(entries, indent=2 if is_wide else None)) == values
    if entries:
        assert params(lines) == values


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_it_does_not_matter_where_the_text_is_cut_while_it_is_read(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_rows, "CHUNK", chunk)
    values = [{"long": "x" * 50, "n": 12345.5}, ["ä😀", None], "\\", ""]

    assert params(json.dumps([{"params": value} for value in values], indent=1)) == values


@given(st.text())
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example("[{}" + "," * 10)
@example('instance_id\n"')
@example("\ufeff[]")
def test_any_text_is_read_or_it_is_said_why_not(text: str) -> None:
    for row in read(text):
        assert isinstance(row, Row) or str(row)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{},\n1]", ["Line 2, instance 2: This is not a JSON object."]),
        ("[{},\n\n{]", ["Line 3: This is not JSON: Expecting property name enclosed in double"]),
        ("[{}\n{}]", ["Line 2: A comma or “]” is missing here."]),
        ("[{},\n{}", ["Line 2: The array does not end."]),
        ("[{}]\n\nx", ["Line 3: Something stands after the array."]),
        ("[NaN]", ["Line 1: This is not JSON: NaN is no number that JSON knows."]),
        ('{}\n{"a"\n{}\n[]', ["Line 2: This is not JSON", "Line 4, instance 4: This is not a"]),
        ('[{"id": "a"}]', ["Line 1, instance 1: This has id; only instance_id,"]),
        ('[{"instance_id": 7}]', ["Line 1, instance 1: instance_id is a text."]),
        ('[{"instance_id": "a b"}]', ["Line 1, instance 1: “a b” cannot be an instance id"]),
        ('[{"instance_retention": 7}]', ["instance_retention is an object."]),
        ('[{"instance_retention": {"error_retention": []}}]', ["is no retention"]),
        ('[{"location_hint": "moon"}]', ["location_hint is one of wnam"]),
        ('[{"location_hint": ["weur"]}]', ["location_hint is one of wnam"]),
        ('[{"params": "a\\u0000"}]', ["params hold a NUL character"]),
        ('[{"params": "\\ud800"}]', ["half a character"]),
        ("order,amount\n1,2", ["Line 1: Write a JSON array, one JSON object on each line"]),
        ("instance_id,instance_id\na,b", ["Line 1: These columns stand twice: instance_id."]),
        ("params,params.a\n1,2", ["Line 1: Either one column params, or columns params.NAME"]),
        ('instance_id,params\na,"x\ny"\nb,{', ["Line 2: params: ", "Line 4: params: "]),
        ("instance_id\na,b", ["Line 2: There are 2 cells for 1 heads."]),
        ('instance_id\n"a', ["Line 2: This is not CSV"]),
    ],
)
def test_what_cannot_be_is_said_with_its_line(text: str, says: list[str]) -> None:
    found = problems(text)

    assert len(found) == len(says), found
    for sentence, words in zip(found, says, strict=True):
        assert words in sentence


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_its_columns_as_cloudflare_does(delimiter: str) -> None:
    lines = [
        ("instance_id", "params.order", "params.note", "success_retention", "location_hint"),
        ("a-1", "0012", ' "two\nlines" ', "3 days", "weur"),
        ("", "7", "", "", ""),
        ("", "", "", "", ""),
    ]
    text = "\r\n".join(
        delimiter.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in line) for line in lines
    )

    first, second = read(text)

    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.new.id, first.new.success_retention) == (2, "a-1", "3 days")
    assert first.new.params == {"order": "0012", "note": ' "two\nlines" '}
    assert first.new.location_hint == "weur"
    assert (second.line, second.new.params, second.has_own_id) == (4, {"order": "7"}, False)


def form_of(content: bytes | None = None, text: str = "") -> BatchForm:
    files = {} if content is None else {"file": SimpleUploadedFile("new.csv", content)}
    return BatchForm(COMMON | {"batch": text}, files)  # type: ignore[arg-type]


def test_a_file_is_read_twice_and_stays_open() -> None:
    form = form_of(
        '\ufeffinstance_id,params\nä,1\nb,"{""a"": ""ä""}"\n'.replace("ä,", "a,").encode()
    )

    assert form.is_valid(), form.errors
    assert [(new.instance_id, new.arguments) for new in form.rows()] == [
        ("a", {"line": 2, "params": 1}),
        ("b", {"line": 3, "params": {"a": "ä"}}),
    ]
    assert form.arguments() == {"source": "new.csv"}


@pytest.mark.parametrize(
    ("content", "text", "field", "says"),
    [
        (None, " ", "batch", "Choose a file, or paste the instances here."),
        (b"[{}]", "[{}]", "file", "Choose a file or paste text, not both."),
        (b"\xff\xfe[", "", "file", "The file is not UTF-8"),
        (b"[]", "", "file", "There is no instance in this."),
        (b"", "", "file", "Write a JSON array, one JSON object on each line"),
        (b"[1]", "", "file", "Choose the file again once it is mended"),
        (None, "[]", "batch", "There is no instance in this."),
        (None, "instance_id\n", "batch", "There is no instance in this."),
        (None, '[{"instance_id":"a"},{"instance_id":"a"}]', "batch",
         "Line 1, instance 2: Instance 1 has the id a already."),
    ],
)  # fmt: skip
def test_a_form_without_instances_says_why(
    content: bytes | None, text: str, field: str, says: str
) -> None:
    form = form_of(content, text)

    assert not form.is_valid()
    assert says in " ".join(map(str, form.errors[field]))


def test_only_the_first_wrong_lines_are_named_and_the_others_counted() -> None:
    form = form_of(text="\n".join(["{}", *["{"] * 100]))

    assert not form.is_valid()
    assert len(form.errors["batch"]) == 21
    assert form.errors["batch"][-1] == "80 more lines are wrong."
