"""Answers and requests that are far too large or too deep: a page all the same, or a sentence."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from dashboard.models import Operation
from dashboard.simulator.plan import Do, Plan, in_turn
from tests.fixtures import Watched
from tests.views.conftest import actor, on_call  # noqa: F401 - fixtures
from tests.views.operating import fill_in, form_url, send
from tests.views.test_creating import batch_form

MEGABYTE = 1024 * 1024
DEEP = 100_000


def test_an_instance_of_25_000_steps_has_a_page(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
) -> None:
    plan = Plan(in_turn(*[Do("process item", 10, number) for number in range(25_000)]))
    instance_id = on_call.add("complete", plan=plan, age=3_600)
    on_call.sync()

    answer = actor.get(on_call.row(instance_id).get_absolute_url())
    page = b"".join(answer) if answer.streaming else answer.content

    assert answer.status_code == 200
    assert b"25,000" in page
    assert len(page) < MEGABYTE
    assert on_call.row(instance_id).step_count == 25_000


def test_a_param_of_10_megabytes_is_cut_on_the_page_and_whole_as_a_file(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
) -> None:
    params = {"blob": "x" * 10 * MEGABYTE}
    instance_id = on_call.add("waiting", params=params)
    on_call.sync()

    page = actor.get(on_call.row(instance_id).get_absolute_url())
    named = {
        "account_id": on_call.account.account_id,
        "workflow_name": "orders",
        "instance_id": instance_id,
        "part": "params",
    }
    file = actor.get(reverse("step-output"), named)

    assert page.status_code == 200
    assert len(page.content) < MEGABYTE
    assert json.loads(file.content) == params


def test_more_than_is_taken_at_once_is_refused_with_a_way_on(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
) -> None:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    form = fill_in(actor, form_url(on_call, "send-event", instance_id))

    answer = send(actor, form | {"payload": json.dumps("x" * 9 * MEGABYTE)})

    assert answer.status_code == 400
    assert "put it into a file" in answer.content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("kind", ["send-event", "create"])
def test_json_that_is_too_deep_is_said_and_comes_back_as_it_was_typed(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
    kind: str,
    opening: str,
) -> None:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    named = form_url(on_call, kind, instance_id) if kind != "create" else form_url(on_call, kind)
    field = "payload" if kind == "send-event" else "params"
    deep = opening * DEEP

    answer = send(actor, fill_in(actor, named) | {field: deep})

    assert answer.status_code == 422
    assert deep.replace('"', "&quot;") in answer.content.decode()
    assert not Operation.objects.exists()


@pytest.mark.parametrize("begins", ['[{"params":', '{"params":', "instance_id,params\na,"])
def test_a_file_that_is_too_deep_is_refused_in_words(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
    begins: str,
) -> None:
    on_call.add("waiting")
    on_call.sync()
    file = SimpleUploadedFile("deep.txt", begins.encode() + b"[" * DEEP)

    answer = send(actor, batch_form(actor, on_call) | {"file": file})

    assert answer.status_code == 422
    assert not Operation.objects.exists()
