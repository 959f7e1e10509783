"""Asking for an operation: what is typed is kept, what cannot be is said, nothing is sent twice."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from dashboard.models import Instance, Item, Operation
from dashboard.models.operation import State
from tests.fixtures import Watched
from tests.rows import HOSTILE, workflow
from tests.views.operating import OPERATIONS, fields, fill_in, form_url, send
from tests.views.test_frame import inline_parts

pytestmark = pytest.mark.usefixtures("unsealed")

CRON = "*/5 * * * *"


@pytest.fixture
def waiting(on_call: Watched) -> str:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    return instance_id


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("kind", "state", "sent"),
    [
        ("pause", "waiting", {"status": "pause"}),
        ("resume", "paused", {"status": "resume"}),
        ("terminate", "waiting", {"status": "terminate"}),
        ("restart", "errored", {"status": "restart"}),
    ],
)
def test_each_kind_is_sent_and_the_instance_page_tells_what_became_of_it(
    actor: Client, on_call: Watched, kind: str, state: str, sent: dict[str, str]
) -> None:
    instance_id = on_call.add(state)
    on_call.sync()

    answer = send(
        actor,
        fill_in(actor, form_url(on_call, kind, instance_id), reason="ticket 4711"),
        follow=True,
    )

    assert on_call.sent() == [sent]
    address = on_call.row(instance_id).get_absolute_url()
    assert answer.redirect_chain == [(f"{address}#operations", 302)]
    for words in ("asked by olga", "ticket 4711", 'id="operations"'):
        assert words in text_of(answer)


def test_a_direct_button_of_the_instance_page_acts_with_one_click(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    page = text_of(actor.get(on_call.row(waiting).get_absolute_url()))
    form = fields_of_button(page, "Pause")

    send(actor, form)
    send(actor, form)

    assert on_call.sent() == [{"status": "pause"}]
    assert Operation.objects.count() == 1


def fields_of_button(page: str, word: str) -> dict[str, str]:
    [form] = [
        part
        for part in page.split('<form method="post"')[1:]
        if f'<button class="button">{word}</button>' in part.split("</form>")[0]
    ]
    return fields('<form class="form-rows"' + form.split("</form>")[0])


@pytest.mark.parametrize("kind", ["restart", "terminate"])
def test_what_cannot_be_undone_takes_a_reason(
    actor: Client, on_call: Watched, waiting: str, kind: str
) -> None:
    answer = send(actor, fill_in(actor, form_url(on_call, kind, waiting), reason="  "))

    assert answer.status_code == 422
    assert "Say why; it is kept with your name." in text_of(answer)
    assert (on_call.sent(), Operation.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("{no", "This is not JSON: Expecting property name"),
        ("NaN", "NaN is no number that JSON knows"),
        ('{"n": 1e999}', "1e999 is too large a number"),
        ('"\\ud800"', "half a character"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "This is not JSON"),
    ],
)
def test_a_payload_that_is_no_json_comes_back_as_it_was_typed(
    actor: Client, on_call: Watched, waiting: str, payload: str, says: str
) -> None:
    url = form_url(on_call, "send-event", waiting, event_type="approval")
    form = fill_in(actor, url, payload=payload, reason="told to")

    answer = send(actor, form)

    assert answer.status_code == 422
    assert says in text_of(answer)
    again = fields(text_of(answer))
    assert {name: again[name] for name in form if name != "csrfmiddlewaretoken"} == {
        name: text for name, text in form.items() if name != "csrfmiddlewaretoken"
    }
    assert on_call.sent("POST") == []


@pytest.mark.parametrize(
    "payload", ["null", "", "0", "false", '""', "[]", '"a\\u0000b"', '"\\\\u0000"', '"😀 ä"']
)
def test_any_json_is_sent_as_an_event_and_kept(
    actor: Client, on_call: Watched, waiting: str, payload: str
) -> None:
    url = form_url(on_call, "send-event", waiting, event_type="approval")

    send(actor, fill_in(actor, url, payload=payload))

    value = json.loads(payload or "null")
    assert on_call.sent("POST") == [value]
    kept = value.replace("\0", "\ufffd") if isinstance(value, str) else value
    assert Operation.objects.get().arguments == {"event_type": "approval", "payload": kept}


def test_the_event_type_that_a_step_waits_for_is_filled_in(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    actor.get(on_call.row(waiting).get_absolute_url())  # Its steps are read when it is looked at.

    form = fill_in(actor, form_url(on_call, "send-event", waiting))

    assert form["event_type"] == "approval"


@pytest.mark.parametrize("event_type", ["a/b", "a b?#%", "ä😀", "<b>", "...", "%2e%2e"])
def test_an_event_type_of_odd_characters_arrives_as_it_is(
    actor: Client, on_call: Watched, waiting: str, event_type: str
) -> None:
    form = fill_in(actor, form_url(on_call, "send-event", waiting), event_type=event_type)

    page = send(actor, form, follow=True)

    operation = Operation.objects.get()
    assert operation.arguments["event_type"] == event_type
    assert operation.items.get().answer is not None, operation.items.get().note
    assert event_type.replace("<", "&lt;").replace(">", "&gt;") in text_of(page)


@pytest.mark.parametrize("event_type", ["", " ", ".", "..", "x" * 101, "a\0b"])
def test_an_event_type_that_cannot_be_is_not_sent(
    actor: Client, on_call: Watched, waiting: str, event_type: str
) -> None:
    form = fill_in(actor, form_url(on_call, "send-event", waiting), event_type=event_type)

    assert send(actor, form).status_code == 422
    assert on_call.sent("POST") == []


def test_the_rollback_box_is_sent_and_kept(actor: Client, on_call: Watched, waiting: str) -> None:
    form = fill_in(actor, form_url(on_call, "terminate", waiting), reason="undo", rollback="on")

    send(actor, form)

    assert on_call.sent() == [{"status": "terminate", "rollback": True}]
    assert Operation.objects.get().in_words == "Terminate with rollback"


@pytest.mark.parametrize(
    ("state", "step", "start"),
    [
        ("errored", "charge card", {"name": "charge card", "count": 1, "type": "do"}),
        ("waiting", "nap", {"name": "nap", "count": 1, "type": "sleep"}),
        (
            "waiting-for-event",
            "wait for approval",
            {"name": "wait for approval", "count": 1, "type": "waitForEvent"},
        ),
    ],
)
def test_a_restart_from_each_type_of_step_names_it_as_cloudflare_wants(
    actor: Client, on_call: Watched, state: str, step: str, start: dict[str, Any]
) -> None:
    instance_id = on_call.add(state)
    on_call.sync()
    actor.get(on_call.row(instance_id).get_absolute_url())
    detail = on_call.row(instance_id).last_detail
    assert detail is not None
    [index] = [found.index for found in detail.steps if found.base_name == step]

    url = form_url(on_call, "restart", instance_id)
    answer = send(actor, fill_in(actor, url, reason="again", restart_from=str(index)), follow=True)

    assert on_call.sent() == [{"status": "restart", "from": start}]
    assert f"Restart from “{step}”" in text_of(answer)


def test_a_step_that_is_not_there_cannot_be_restarted_from(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    url = form_url(on_call, "restart", waiting)

    answer = send(actor, fill_in(actor, url, reason="again", restart_from="77"))

    assert answer.status_code == 422
    assert "no longer has that step" in text_of(answer)
    assert fields(text_of(answer))["reason"] == "again"
    assert on_call.sent() == []


def test_the_form_says_why_the_state_does_not_allow_it(actor: Client, on_call: Watched) -> None:
    instance_id = on_call.add("complete")
    on_call.sync()

    html = text_of(actor.get(form_url(on_call, "pause", instance_id)))

    assert "Only a running or waiting instance can be paused; this one is complete." in html
    assert " disabled>Pause</button>" in html


def test_the_same_form_sent_again_says_that_it_was_sent_before(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    form = fill_in(actor, form_url(on_call, "create"), new_id="once")
    first = send(actor, form)
    Operation.objects.update(requested_at=on_call.clock().replace(hour=1))

    second = send(actor, form | {"new_id": "another"}, follow=True)

    assert second.redirect_chain == [(first["Location"], 302)]
    assert "sent before, so nothing was sent again" in text_of(second)
    assert len(on_call.sent("POST")) == Operation.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "explode"}, "There is no operation called “explode”."),
        ({"kind": ""}, "There is no operation called “”."),
        ({"account_id": "nobody"}, "There is no workflow “orders” in the local copy."),
        ({"workflow_name": "nothing"}, "There is no workflow “nothing” in the local copy."),
        ({"workflow_name": "a\0b"}, "in the local copy."),
        ({"instance_id": "nowhere"}, "There is no instance “nowhere” in the local copy."),
        ({"instance_id": "a\0b"}, "in the local copy."),
        ({"instance_id": HOSTILE}, "There is no instance “&lt;script&gt;"),
        ({"instance_id": ""}, "There is no instance “” in the local copy."),
    ],
)
def test_what_leads_nowhere_is_a_404_that_names_it(
    actor: Client, on_call: Watched, waiting: str, change: dict[str, str], says: str
) -> None:
    form = fill_in(actor, form_url(on_call, "pause", waiting)) | change
    query = {name: form[name] for name in ("kind", "account_id", "workflow_name", "instance_id")}

    for answer in (actor.get("/operations/new/", query), send(actor, form)):
        assert answer.status_code == 404
        assert says in text_of(answer)
    assert (on_call.sent(), Operation.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("name", "value"), [("key", "not-a-uuid"), ("key", ""), ("seen_generation", "many")]
)
def test_a_damaged_form_says_so_and_keeps_what_was_typed(
    actor: Client, on_call: Watched, waiting: str, name: str, value: str
) -> None:
    form = fill_in(actor, form_url(on_call, "terminate", waiting), reason="long story")

    answer = send(actor, form | {name: value})

    assert answer.status_code == 422
    assert f"This form came back damaged ({name}: " in text_of(answer)
    assert fields(text_of(answer))["reason"] == "long story"
    assert on_call.sent() == []


def test_an_instance_that_a_schedule_began_can_be_acted_on(actor: Client, on_call: Watched) -> None:
    instance_id = on_call.add("waiting", cron=CRON)
    on_call.sync()
    assert "/" in instance_id
    assert " " in instance_id

    answer = send(actor, fill_in(actor, form_url(on_call, "pause", instance_id)), follow=True)

    assert on_call.listed()[instance_id] == "paused"
    assert answer.status_code == 200
    assert "asked by olga" in text_of(answer)
    assert actor.get(Item.objects.get().instance_url).status_code == 200


def test_one_is_created_with_all_that_was_typed(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    typed = {
        "new_id": "by-hand_1",
        "params": '{"a": [1, null]}',
        "success_retention": "3 days",
        "error_retention": "60000",
        "location_hint": "weur",
    }

    answer = send(actor, fill_in(actor, form_url(on_call, "create"), **typed), follow=True)

    [sent] = on_call.sent("POST")
    assert sent == {
        "instance_id": "by-hand_1",
        "params": {"a": [1, None]},
        "instance_retention": {"success_retention": "3 days", "error_retention": 60000},
        "location_hint": "weur",
    }
    operation = Operation.objects.get()
    assert operation.arguments["params"] == {"a": [1, None]}
    assert answer.redirect_chain == [(operation.get_absolute_url(), 302)]
    assert "by-hand_1" in text_of(answer)
    assert Instance.objects.filter(instance_id="by-hand_1").exists()


@pytest.mark.parametrize(
    ("new_id", "says"),
    [
        ("-a", "cannot be an instance id"),
        ("a b", "cannot be an instance id"),
        ("a/b", "cannot be an instance id"),
        ("ä", "cannot be an instance id"),
        ("x" * 101, "at most 100 characters"),
        ("cf_" + "0a" * 32, "reserved by Cloudflare"),
    ],
)
def test_an_id_that_cannot_be_is_said_before_anything_is_sent(
    actor: Client, on_call: Watched, waiting: str, new_id: str, says: str
) -> None:
    form = fill_in(actor, form_url(on_call, "create"), new_id=new_id, params='{"kept": 1}')

    answer = send(actor, form)

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert fields(text_of(answer))["params"] == '{"kept": 1}'
    assert on_call.sent("POST") == []


def test_a_target_without_batches_and_retention_says_so(
    actor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:9")
    home = workflow().account
    home.account_id = "local"
    home.save()
    query = {"kind": "create", "account_id": "local", "workflow_name": "orders"}

    one = text_of(actor.get("/operations/new/", query))
    batch = text_of(actor.get("/operations/new/", query | {"is_batch": "1"}))

    assert "wrangler dev creates them one after the other." in batch
    for html in (one, batch):
        assert "wrangler dev has no retention and no location per instance." in html
    assert 'name="params"' in one
    assert 'name="success_retention"' not in one


@pytest.mark.parametrize("kind", ["pause", "restart", "terminate", "send-event", "create"])
def test_a_form_in_a_dialog_is_the_same_form_without_the_page(
    actor: Client, on_call: Watched, waiting: str, kind: str
) -> None:
    url = form_url(on_call, kind, "" if kind == "create" else waiting)

    page, dialog = text_of(actor.get(url)), text_of(actor.get(url, headers={"HX-Request": "true"}))

    assert fields(dialog).keys() == fields(page).keys()
    assert "<html" not in dialog
    assert 'id="dialog-title"' in dialog
    assert dialog.count("autofocus") == 1
    for html in (page, dialog):
        assert inline_parts(html) == []


def test_markup_that_was_typed_stays_text_on_every_page(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    url = form_url(on_call, "send-event", waiting)
    form = fill_in(
        actor, url, event_type=HOSTILE[:100], payload=json.dumps({HOSTILE: HOSTILE}), reason=HOSTILE
    )
    refused = send(actor, form | {"key": HOSTILE, "payload": HOSTILE})
    instance_page = send(actor, form, follow=True)
    operation = Operation.objects.get()
    operation.items.update(note=HOSTILE, answer={HOSTILE: HOSTILE})

    for answer in (
        refused,
        instance_page,
        actor.get(OPERATIONS),
        actor.get(operation.get_absolute_url()),
    ):
        html = text_of(answer)
        assert "<script>alert" not in html
        assert "<img" not in html
        assert inline_parts(html) == []


def test_cloudflare_away_keeps_the_attempt_and_says_that_nothing_was_sent(
    actor: Client, on_call: Watched, waiting: str
) -> None:
    form = fill_in(actor, form_url(on_call, "pause", waiting), reason="before it breaks")
    on_call.server.stop()

    answer = send(actor, form, follow=True)

    assert answer.status_code == 200
    assert "Nothing was sent." in text_of(answer)
    assert "before it breaks" in text_of(answer)
    assert Item.objects.get().state == State.FAILED


def test_a_form_from_before_a_restart_is_not_sent(actor: Client, on_call: Watched) -> None:
    instance_id = on_call.add("errored")
    on_call.sync()
    early = fill_in(actor, form_url(on_call, "terminate", instance_id), reason="stop it")
    send(actor, fill_in(actor, form_url(on_call, "restart", instance_id), reason="again"))

    answer = send(actor, early | {"key": str(uuid.uuid4())}, follow=True)

    assert on_call.sent() == [{"status": "restart"}]
    assert "restarted after the page that you acted on was loaded" in text_of(answer)
