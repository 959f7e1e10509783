"""The whole output of a step: to read, or to download, and never run by a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from django.test import Client as Browser
from django.urls import reverse

from tests.insight.details import recorded
from tests.views.instance.test_page import HOSTILE, path_of, text_of
from tests.views.instance.upstream import ACCOUNT, Upstream, step

URL = reverse("step-output")


def query(name: str = "build-1", **rest: str) -> dict[str, str]:
    address = {"account_id": ACCOUNT, "workflow_name": "orders", "instance_id": "one"}
    return address | {"type": "step", "name": name} | rest


@pytest.fixture
def api(upstream: Upstream) -> Upstream:
    upstream.add("one", recorded("complete.order-pipeline"))
    return upstream


def test_a_value_is_shown_whole_and_pretty(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = step({"bytes": 3, "body": "xyz"})

    html = reader.get(URL, query()).content.decode()

    assert "The whole output" in html
    assert '{ "bytes": 3, "body": "xyz" }' in text_of(html)


def test_htmx_gets_the_value_alone(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = step({"a": 1})

    html = reader.get(URL, query(), headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in html
    assert '"a": 1' in text_of(html)


def test_a_hostile_value_stays_text(reader: Browser, api: Upstream) -> None:
    api.steps[HOSTILE] = step(HOSTILE)

    html = reader.get(URL, query(HOSTILE)).content.decode()

    assert "<script>alert" not in html
    assert HOSTILE in text_of(html.replace("<pre", "\n<pre"))


def test_a_huge_value_is_cut_on_the_page_and_whole_as_a_download(
    reader: Browser, api: Upstream
) -> None:
    api.steps["build-1"] = step("x" * 1_500_000)

    html = reader.get(URL, query()).content.decode()
    saved = reader.get(URL, query(download="1"))

    assert len(html) < 500_000
    assert "The first part of 1.5 MB" in html
    assert saved.content == b"x" * 1_500_000


def test_a_download_is_an_attachment_that_no_browser_opens(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = step("<script>alert(1)</script>")

    response = reader.get(URL, query(download="1"))

    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == 'attachment; filename="one-build-1.txt"'


@pytest.mark.parametrize(
    "name", ['a"\r\nSet-Cookie: x=1', "../../etc/passwd", "шаг-1", "x" * 300, "a\x00b", "...", '"']
)
def test_a_file_name_is_harmless_whatever_the_step_is_called(
    reader: Browser, api: Upstream, name: str
) -> None:
    api.steps[name] = step(1)

    response = reader.get(URL, query(name, download="1"))

    assert response.status_code == 200
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert "Set-Cookie" not in response.headers
    assert not set("\r\n\0/\\") & set(disposition.removeprefix("attachment; "))
    assert len(disposition) < 700


def test_bytes_are_offered_as_a_download(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = iter([b"\x00\x01"])

    html = reader.get(URL, query()).content.decode()

    assert "This step returned bytes" in html
    assert "download=1" in html


def test_bytes_are_passed_on_as_they_come(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = iter([b"\x00\x01" * 1000] * 3)

    response = reader.get(URL, query(download="1"))

    assert isinstance(response, StreamingHttpResponse)
    assert b"".join(response) == b"\x00\x01" * 3000
    assert 'filename="one-build-1.bin"' in response.headers["Content-Disposition"]


def test_a_reader_who_goes_away_ends_the_stream_from_cloudflare(
    reader: Browser, api: Upstream
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"\x00" * 65536

    api.steps["build-1"] = endless()
    response = reader.get(URL, query(download="1"))
    assert next(iter(response))

    response.close()

    assert api.stream_ended.wait(5)


def test_an_answer_nobody_reads_is_closed_too(reader: Browser, api: Upstream) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"\x00" * 65536

    api.steps["build-1"] = endless()

    reader.get(URL, query(download="1")).close()

    assert api.stream_ended.wait(5)


def test_the_error_of_a_failed_step_is_shown(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = step(
        None, status="errored", error={"name": "TypeError", "message": "no rows"}
    )

    assert "TypeError: no rows" in reader.get(URL, query()).content.decode()


def test_one_attempt_can_be_asked_for(reader: Browser, api: Upstream) -> None:
    api.steps["build-1"] = step(1)

    reader.get(URL, query(attempt="2"))

    assert "attempt=2" in api.seen[-1]


@pytest.mark.parametrize(("trouble", "status"), [(503, 502), (403, 502), (429, 429)])
def test_trouble_is_a_sentence_with_a_true_status(
    reader: Browser, api: Upstream, trouble: int, status: int
) -> None:
    api.trouble = trouble

    response = reader.get(URL, query())

    assert response.status_code == status
    assert "The output could not be read." in response.content.decode()


def test_a_step_that_is_not_there_is_not_found(reader: Browser, api: Upstream) -> None:
    assert reader.get(URL, query("nowhere-1")).status_code == 404


@pytest.mark.parametrize(
    "broken",
    [
        {"name": ""},
        {"instance_id": ""},
        {"type": ""},
        {"type": "sleep"},
        {"attempt": "0"},
        {"attempt": "x"},
        {"attempt": "²"},
        {"part": "secrets"},
    ],
)
def test_an_address_that_asks_for_nothing_sensible_is_refused(
    reader: Browser, api: Upstream, broken: dict[str, Any]
) -> None:
    assert reader.get(URL, query() | broken).status_code == 400


def test_an_account_that_is_not_watched_has_no_outputs(reader: Browser, api: Upstream) -> None:
    assert reader.get(URL, query(account_id="other")).status_code == 404


def test_the_whole_answer_of_an_instance_can_be_saved(reader: Browser, api: Upstream) -> None:
    reader.get(path_of("one"))

    response = reader.get(URL, query(part="answer"))

    assert json.loads(response.content) == recorded("complete.order-pipeline")


def test_only_somebody_signed_in_gets_an_output(client: Browser, api: Upstream) -> None:
    assert client.get(URL, query()).status_code == 302
