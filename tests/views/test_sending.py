"""Before an event: who waits for it, and what was sent the last time."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from dashboard.simulator.plan import Plan, Wait
from tests.fixtures import Watched
from tests.rows import HOSTILE
from tests.views.instance.test_page import text_of
from tests.views.operating import fields, fill_in, form_url, send


@pytest.fixture
def waiting(on_call: Watched, actor: Client) -> str:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    actor.get(on_call.row(instance_id).get_absolute_url())
    return instance_id


def form_of(browser: Client, watched: Watched, instance_id: str, **more: str) -> str:
    response = browser.get(form_url(watched, "send-event", instance_id, **more))
    assert response.status_code == 200
    return str(response.content.decode())


def test_what_it_waits_for_is_listed_with_when_that_times_out(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    html = form_of(actor, on_call, waiting)

    assert "approval in “wait for approval”, for 59 s ; times out in 6 d 23 h" in text_of(html)
    assert fields(html)["event_type"] == "approval"
    assert "Nobody waits" not in html


def test_of_two_waits_the_other_is_one_click_away(actor: Client, on_call: Watched) -> None:
    both = Plan(((Wait("a", "approval", "7 days"), Wait("b", "payment", "2 days")),))
    instance_id = on_call.add("waiting", plan=both)
    on_call.sync()
    actor.get(on_call.row(instance_id).get_absolute_url())

    html = form_of(actor, on_call, instance_id)

    assert fields(html)["event_type"] == "approval"
    assert html.count("Send this one") == 1
    other = form_of(actor, on_call, instance_id, event_type="payment")
    assert fields(other)["event_type"] == "payment"


@pytest.mark.parametrize("event_type", ["aproval", HOSTILE, "\0"])
def test_an_event_that_nobody_waits_for_is_said_and_can_be_sent(
    actor: Client, on_call: Watched, waiting: str, event_type: str
) -> None:
    html = form_of(actor, on_call, waiting, event_type=event_type)

    assert "now. Cloudflare takes it all the same, and keeps it until a step waits" in html
    assert HOSTILE not in html


def test_where_no_step_waits_at_all_that_is_said(actor: Client, on_call: Watched) -> None:
    instance_id = on_call.add("sleeping")
    on_call.sync()
    actor.get(on_call.row(instance_id).get_absolute_url())

    assert "No step waits for an event now." in form_of(actor, on_call, instance_id)


def test_the_last_payload_of_the_type_that_was_taken_is_a_start(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    for payload in ({"by": "ana"}, {"by": "olga", "ok": True}):
        url = form_url(on_call, "send-event", waiting, event_type="approval")
        send(actor, fill_in(actor, url, payload=json.dumps(payload)))
    other = on_call.add("waiting-for-event")
    on_call.advance(60)
    on_call.sync()
    actor.get(on_call.row(other).get_absolute_url())

    html = form_of(actor, on_call, other, event_type="approval")
    begun = form_of(actor, on_call, other, event_type="approval", begin="latest")

    assert "The last “approval” that Cloudflare took here was sent by olga" in text_of(html)
    assert fields(html)["payload"] == ""
    assert json.loads(fields(begun)["payload"]) == {"by": "olga", "ok": True}


def test_a_payload_that_cloudflare_refused_is_no_start(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    on_call.server.faults.add("challenge", method="POST")
    url = form_url(on_call, "send-event", waiting, event_type="approval")
    send(actor, fill_in(actor, url, payload="1"))

    assert "Start from its payload" not in form_of(actor, on_call, waiting)


def test_the_field_is_known_to_the_script_that_checks_it(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    assert "data-json" in form_of(actor, on_call, waiting).split('name="payload"')[1][:200]
