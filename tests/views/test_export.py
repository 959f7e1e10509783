from __future__ import annotations

import csv
import io
import json
from typing import cast

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from dashboard.views import export
from tests.rows import HOSTILE, THEN, instance, minutes


def told(reader: Client, kind: str, query: str = "") -> str:
    response = reader.get(f"/instances/export.{kind}?{query}")
    assert response.status_code == 200
    return b"".join(cast(StreamingHttpResponse, response)).decode()


def test_every_page_of_a_search_is_exported_in_its_order(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "AT_ONCE", 3)
    for number in range(10):
        status = "errored" if number % 3 else "running"
        instance(f"i{number}", status, created_on=THEN + minutes(number))

    rows = [json.loads(line) for line in told(reader, "ndjson", "q=-id:i9").splitlines()]
    errored = list(
        csv.DictReader(io.StringIO(told(reader, "csv", "q=status:errored&sort=created")))
    )

    assert [row["id"] for row in rows] == [f"i{number}" for number in range(8, -1, -1)]
    assert [row["id"] for row in errored] == ["i1", "i2", "i4", "i5", "i7", "i8"]
    assert rows[0]["created_on"] == "2026-11-20T03:08:00+00:00"
    assert rows[0]["started_on"] is None


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_spreadsheet_takes_a_text_for_a_formula(reader: Client, text: str) -> None:
    instance("one", "errored", error_message=text, duration_ms=-5)

    [row] = csv.DictReader(io.StringIO(told(reader, "csv"), newline=""))
    [whole] = map(json.loads, told(reader, "ndjson").splitlines())

    assert row["error_message"] == f"'{text}"
    assert row["duration_ms"] == "-5"
    assert whole["error_message"] == text


def test_quotes_commas_lines_and_markup_come_through(reader: Client) -> None:
    message = f'a "b", c\nd {HOSTILE} ü'
    instance("one", "errored", error_message=message)

    [row] = csv.DictReader(io.StringIO(told(reader, "csv"), newline=""))

    assert row["error_message"] == message


def test_it_is_a_file_with_a_name(reader: Client) -> None:
    response = reader.get("/instances/export.csv")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="instances-')


def test_a_search_that_cannot_be_read_exports_nothing_rather_than_everything(
    reader: Client,
) -> None:
    instance("one")

    response = reader.get("/instances/export.csv?q=started:soon")

    assert response.status_code == 400
    assert response.content.decode().startswith("started: wants a time")


def test_an_unknown_form_is_not_found(reader: Client) -> None:
    assert reader.get("/instances/export.xlsx").status_code == 404


def test_the_page_links_to_the_export_of_just_this_list(reader: Client) -> None:
    html = reader.get("/instances/?q=status:errored&sort=duration&after=x").content.decode()

    assert 'href="/instances/export.csv?q=status:errored&amp;sort=duration"' in html
