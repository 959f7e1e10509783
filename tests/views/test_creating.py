"""Creating from the pages: what is filled in, what is said, and the yes to a batch."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from dashboard.models import Operation
from dashboard.models.operation import Stage
from tests.fixtures import Watched
from tests.operations.many import states, work
from tests.rows import HOSTILE
from tests.views.operating import fields, fill_in, form_url, send
from tests.views.test_frame import inline_parts


@pytest.fixture(autouse=True)
def _known(on_call: Watched) -> None:
    on_call.add("waiting", instance_id="first", params={"order": 1, "ä": [None]})
    on_call.sync()


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_form_begins_with_the_params_that_were_used_last(actor: Client, on_call: Watched) -> None:
    actor.get(on_call.row("first").get_absolute_url())  # Its params are read with it.
    seen = json.loads(fill_in(actor, form_url(on_call, "create"))["params"])
    detail = on_call.row("first").last_detail
    assert detail is not None
    assert seen == detail.params

    form = fill_in(actor, form_url(on_call, "create"), new_id="by-hand", params='{"by": "hand"}')
    send(actor, form)

    page = text_of(actor.get(form_url(on_call, "create")))
    assert json.loads(fields(page)["params"]) == {"by": "hand"}
    assert "that olga created one with" in page
    assert fill_in(actor, form_url(on_call, "create", like=""))["params"] == ""
    assert fill_in(actor, form_url(on_call, "create", like="a\0b"))["params"] == ""
    like = fill_in(actor, form_url(on_call, "create", like="first"))["params"]
    assert json.loads(like) == detail.params


@pytest.mark.parametrize("name", ["success_retention", "error_retention"])
def test_a_retention_that_is_no_duration_is_said_at_its_field(
    actor: Client, on_call: Watched, name: str
) -> None:
    answer = send(
        actor, fill_in(actor, form_url(on_call, "create"), params="7") | {name: "for ever"}
    )

    assert answer.status_code == 422
    assert "“for ever” is no retention" in text_of(answer)
    assert fields(text_of(answer))["params"] == "7"
    assert on_call.sent("POST") == []


def batch_form(actor: Client, watched: Watched, **typed: Any) -> dict[str, Any]:
    return fill_in(actor, form_url(watched, "create", is_batch="1"), **typed)


def test_pasted_lines_are_shown_first_and_created_after_the_yes(
    actor: Client, on_call: Watched
) -> None:
    batch = '{"instance_id": "first"}\n{"instance_id": "b-1", "params": {"n": 1}}\n{}'

    page = send(actor, batch_form(actor, on_call, batch=batch, reason="ticket 12"), follow=True)

    operation = Operation.objects.get()
    html = text_of(page)
    for words in ("Create 3 instances", "b-1", "made up here", "known here", "ticket 12"):
        assert words in html
    assert on_call.sent("POST") == []
    assert inline_parts(html) == []

    steer = f"{operation.get_absolute_url()}steer/"
    actor.post(steer, {"stage": "running"})
    work(on_call, operation)
    assert states(operation) == {"done": 2, "skipped": 1}
    outcome = text_of(actor.get(operation.get_absolute_url()))
    assert "an instance with this id exists" in outcome
    table = actor.get(f"{operation.get_absolute_url()}outcome.csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(table.streaming_content).decode())))
    assert [json.loads(row["own_arguments"])["line"] for row in rows] == [1, 2, 3]
    assert [row["state"] for row in rows] == ["skipped", "done", "done"]
    assert "Create a batch" in outcome


def test_a_file_is_proposed_under_its_name(actor: Client, on_call: Watched) -> None:
    file = SimpleUploadedFile("orders <b>.csv", b"instance_id,params.n\na,1\nb,2\n")

    page = send(actor, batch_form(actor, on_call) | {"file": file}, follow=True)

    operation = Operation.objects.get()
    assert operation.stage == Stage.PROPOSED
    assert "Create from orders &lt;b&gt;.csv" in text_of(page)
    assert "{&quot;n&quot;: &quot;1&quot;}" in text_of(page)


def test_wrong_lines_are_named_and_what_was_pasted_comes_back(
    actor: Client, on_call: Watched
) -> None:
    batch = f'{{"instance_id": "ok"}}\n{{"instance_id": {json.dumps(HOSTILE)}}}\n{{'

    answer = send(actor, batch_form(actor, on_call, batch=batch, reason="why"))

    assert answer.status_code == 422
    html = text_of(answer)
    assert "Line 2, instance 2: “&lt;script&gt;" in html
    assert "Line 3: This is not JSON" in html
    again = fields(html)
    assert (again["batch"], again["reason"]) == (batch, "why")
    assert Operation.objects.count() == 0


def test_a_batch_is_discarded_from_its_page(actor: Client, on_call: Watched) -> None:
    send(actor, batch_form(actor, on_call, batch="[{}]"))
    operation = Operation.objects.get()

    page = actor.post(f"{operation.get_absolute_url()}steer/", {"stage": "stopped"}, follow=True)

    assert "olga stopped the operation" in text_of(page)
    assert on_call.sent("POST") == []


def test_those_that_failed_are_proposed_again_with_one_click(
    actor: Client, on_call: Watched
) -> None:
    send(actor, batch_form(actor, on_call, batch='[{"instance_id": "again"}]'))
    operation = Operation.objects.get()
    actor.post(f"{operation.get_absolute_url()}steer/", {"stage": "running"})
    on_call.server.faults.add("html", method="POST", times=1)
    work(on_call, operation, seconds=30)
    assert states(operation) == {"failed": 1}
    assert f"{operation.get_absolute_url()}again/" in text_of(
        actor.get(operation.get_absolute_url())
    )

    page = actor.post(f"{operation.get_absolute_url()}again/", follow=True)

    assert "Create 1 instance" in text_of(page)
    assert Operation.objects.count() == 2


def test_a_viewer_sees_a_proposal_and_no_button(
    client: Client, actor: Client, viewer: Any, on_call: Watched
) -> None:
    send(actor, batch_form(actor, on_call, batch="[{}]"))
    operation = Operation.objects.get()
    client.force_login(viewer)

    html = text_of(client.get(operation.get_absolute_url()))

    assert "Nothing has been sent." in html
    assert "Discard" not in html
    steered = client.post(f"{operation.get_absolute_url()}steer/", {"stage": "running"})
    assert steered.status_code == 403


def test_more_pasted_text_than_can_be_held_is_refused_with_a_way_on(
    actor: Client, on_call: Watched, settings: Settings
) -> None:
    form = batch_form(actor, on_call, batch="[{}]" + " " * 20_000)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000

    answer = send(actor, form)

    assert answer.status_code == 400
    assert "put it into a file" in text_of(answer)
