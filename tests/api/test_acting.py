"""What is asked by the API follows the rules of the pages, and is asked once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dashboard.models import AlertIncident, AlertRule, Item, Operation, User
from dashboard.models.operation import Stage, State
from dashboard.simulator.server import Server
from tests.api.conftest import Script, make_token
from tests.fixtures import Watched
from tests.rows import instance


@pytest.fixture
def waiting(on_call: Watched) -> str:
    """The id of an instance that waits for an event."""
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    return instance_id


@pytest.fixture
def errored(on_call: Watched) -> list[str]:
    found = [on_call.add("errored") for _ in range(3)]
    on_call.add("running")
    on_call.sync()
    return found


def one(watched: Watched, instance_id: str, kind: str = "pause", **more: Any) -> dict[str, Any]:
    told = {"account_id": watched.account.account_id, "workflow_name": "orders"}
    return {"kind": kind, "instance_id": instance_id, **told, **more}


SINGLE = "/operations/single"
RESTART_ALL = {"kind": "restart", "q": "status:errored", "reason": "the bank is back"}


def test_an_action_is_sent_and_told_with_what_was_seen(
    script: Script, on_call: Watched, waiting: str
) -> None:
    asked = one(on_call, waiting, "terminate", reason="stuck since noon")

    told = script.post(SINGLE, asked, key="a").json()

    assert told["item"]["state"] == "done"
    assert told["is_repeat"] is False
    assert on_call.listed() == {waiting: "terminated"}
    assert told["asked_by"] == "olga, by token deploy-bot"
    assert script.get(f"/operations/{told['id']}").json()["reason"] == "stuck since noon"


def test_the_pages_say_by_which_token_it_was_done(
    script: Script, on_call: Watched, waiting: str, client: Client, operator: User
) -> None:
    told = script.post(SINGLE, one(on_call, waiting), key="a").json()
    client.force_login(operator)

    for page in ("/operations/", told["href"].removeprefix("http://testserver")):
        assert "olga, by token deploy-bot" in client.get(page).content.decode()
    assert ",deploy-bot," in client.get("/operations/audit.csv").getvalue().decode()


def test_the_same_key_again_sends_nothing_and_tells_what_became_of_it(
    script: Script, on_call: Watched, waiting: str
) -> None:
    first = script.post(SINGLE, one(on_call, waiting), key="a").json()
    again = script.post(SINGLE, one(on_call, waiting), key="a").json()

    assert again["id"] == first["id"]
    assert again["is_repeat"] is True
    assert len(on_call.sent()) == 1


def test_a_key_is_not_used_for_something_else(
    script: Script, on_call: Watched, waiting: str
) -> None:
    script.post(SINGLE, one(on_call, waiting), key="a")

    answer = script.post(SINGLE, one(on_call, waiting, "resume"), key="a")

    assert answer.status_code == 409
    assert "used for something else" in answer.json()["detail"]
    assert len(on_call.sent()) == 1


def test_another_users_key_is_another(script: Script, on_call: Watched, waiting: str) -> None:
    script.post(SINGLE, one(on_call, waiting), key="1")
    other = Script(make_token(User.objects.create(username="otto", role="operator"))[1])

    told = other.post(SINGLE, one(on_call, waiting, "resume"), key="1").json()

    assert told["asked_by"].startswith("otto")


@pytest.mark.parametrize(
    ("asked", "status", "words"),
    [
        ({"kind": "terminate"}, 422, "Say why"),
        ({"kind": "send-event"}, 422, "required"),
        ({"kind": "send-event", "event_type": ".."}, 422, "cannot be sent"),
        ({"kind": "explode"}, 422, "Input should be"),
        ({"instance_id": "no-such"}, 404, "no instance"),
        ({"workflow_name": "no-such"}, 404, "no workflow"),
        ({"reason": "a\0b"}, 422, "Null characters"),
        ({"seen_generation": 10**30}, 422, "less than or equal"),
        ({"surprise": 1}, 422, "Extra inputs"),
        ({"kind": "restart", "reason": "x", "restart_from_step": 999}, 422, "no longer has that"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_and_nothing_is_sent(
    script: Script, on_call: Watched, waiting: str, asked: dict[str, Any], status: int, words: str
) -> None:
    answer = script.post(SINGLE, one(on_call, waiting) | asked, key="a")

    assert answer.status_code == status, answer.json()
    assert words in str(answer.json())
    assert on_call.sent() == []
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"kind": NaN}', "NaN"),
        ('{"reason": "\\ud800"}', "half a character"),
        ('{"seen_generation": 1e999}', "too large"),
        ("9" * 5000, "not JSON"),
    ],
)
def test_what_is_no_json_is_said_in_a_sentence(script: Script, body: str, words: str) -> None:
    headers = {"Idempotency-Key": "a"}
    url = "/api/v1/operations/single"
    answer = script.browser.post(url, body, "application/json", headers=headers)

    assert answer.status_code == 422
    assert words in answer.json()["errors"][0]["sentence"]


def test_more_than_is_taken_at_once_is_refused(script: Script) -> None:
    headers = {"Idempotency-Key": "a"}
    body = b'"' + b"x" * (9 * 1024 * 1024) + b'"'

    answer = script.browser.post(
        "/api/v1/operations/single", body, "application/json", headers=headers
    )

    assert answer.status_code == 413
    assert "8 MiB" in answer.json()["detail"]


def test_without_a_key_nothing_is_sent(script: Script, on_call: Watched, waiting: str) -> None:
    answer = script.post(SINGLE, one(on_call, waiting))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "header.Idempotency-Key"


@pytest.mark.parametrize("scope", ["read", "operate"])
def test_who_may_only_look_does_nothing(
    on_call: Watched, waiting: str, viewer: User, operator: User, scope: str
) -> None:
    user = operator if scope == "read" else viewer
    script = Script(make_token(user, scope)[1])

    for path, asked in (
        (SINGLE, one(on_call, waiting)),
        ("/operations/preview", RESTART_ALL),
        ("/operations/bulk", RESTART_ALL | {"expected_count": 1}),
        (f"/accounts/{on_call.account.account_id}/workflows/orders/instances", {}),
        (f"/accounts/{on_call.account.account_id}/workflows/orders/batches", {"instances": [{}]}),
    ):
        answer = script.post(path, asked, key="a")
        assert answer.status_code == 403, path
        words = "scope read" if scope == "read" else "Your role is viewer"
        assert words in answer.json()["detail"]
    assert on_call.sent() == []


def test_a_session_changes_nothing(client: Client, operator: User, on_call: Watched) -> None:
    client.force_login(operator)

    answer = client.post("/api/v1/operations/preview", RESTART_ALL, "application/json")

    assert answer.status_code == 401
    assert "token" in answer.json()["detail"]


def test_a_preview_tells_what_it_would_do_and_does_nothing(
    script: Script, on_call: Watched, errored: list[str]
) -> None:
    plan = script.post("/operations/preview", RESTART_ALL).json()

    assert (plan["number"], plan["acted_on"], plan["skipped"]) == (3, 3, {})
    assert plan["why_not"] == ""
    assert {row["id"] for row in plan["first"]} == {*errored}
    assert not Operation.objects.exists()


def test_a_preview_counts_what_would_be_skipped_by_the_reason(
    script: Script, errored: list[str]
) -> None:
    plan = script.post("/operations/preview", {"kind": "pause", "q": "workflow:orders"}).json()

    assert (plan["number"], plan["acted_on"]) == (4, 1)
    [(words, number)] = plan["skipped"].items()
    assert number == 3
    assert words.startswith("Only a running")


def test_many_begin_once_their_number_is_said(script: Script, errored: list[str]) -> None:
    wrong = script.post("/operations/bulk", RESTART_ALL | {"expected_count": 4}, key="a")
    right = script.post("/operations/bulk", RESTART_ALL | {"expected_count": 3}, key="a")
    again = script.post("/operations/bulk", RESTART_ALL | {"expected_count": 3}, key="a")

    assert wrong.status_code == 409
    assert "3 instances now, not to 4" in wrong.json()["detail"]
    told = right.json()
    assert (told["stage"], told["number"], told["is_repeat"]) == ("running", 3, False)
    assert again.json()["id"] == told["id"]
    assert again.json()["is_repeat"] is True
    assert Operation.objects.get().token_name == "deploy-bot"
    items = script.get(f"/operations/{told['id']}/items", limit=2).json()
    rest = script.get(f"/operations/{told['id']}/items", after=items["next"]).json()
    assert {item["instance_id"] for item in items["items"] + rest["items"]} == {*errored}
    assert (len(items["items"]), len(rest["items"]), rest["next"]) == (2, 1, "")


@pytest.mark.parametrize(
    "asked",
    [
        {"q": ""},
        {"q": "status:errored", "retry_of": "5f0f8c1e-6a35-4a6e-9a0e-8d4d1b7c2f10"},
        {"q": "colour:red"},
        {"waves": [0]},
        {"reason": ""},
    ],
)
def test_many_that_cannot_be_told_are_not_begun(
    script: Script, errored: list[str], asked: dict[str, Any]
) -> None:
    answer = script.post("/operations/bulk", RESTART_ALL | {"expected_count": 3} | asked, key="a")

    assert answer.status_code == 422, answer.json()
    assert not Operation.objects.exists()


def test_many_are_paused_resumed_and_stopped(script: Script, errored: list[str]) -> None:
    asked = RESTART_ALL | {"expected_count": 3}
    pk = script.post("/operations/bulk", asked, key="a").json()["id"]

    stages = [
        script.post(f"/operations/{pk}/steer", {"stage": stage}).json()["stage"]
        for stage in ("paused", "running", "stopped")
    ]

    assert stages == ["paused", "running", "stopped"]
    refused = script.post(f"/operations/{pk}/steer", {"stage": "running"})
    assert refused.status_code == 409
    assert "is stopped by now" in refused.json()["detail"]
    told = script.get(f"/operations/{pk}").json()
    assert {one["by"] for one in told["stages"]} == {"olga, by token deploy-bot"}
    assert Item.objects.filter(state=State.SKIPPED).count() == 3


def test_one_is_created_once(script: Script, on_call: Watched, waiting: str) -> None:
    path = f"/accounts/{on_call.account.account_id}/workflows/orders/instances"
    asked = {"id": "mine-1", "params": {"n": [1, None]}, "success_retention": "3 days"}

    told = script.post(path, asked, key="a").json()
    again = script.post(path, asked, key="a").json()

    assert told["item"]["instance_id"] == "mine-1"
    assert told["item"]["state"] == "done"
    assert again["id"] == told["id"]
    assert "mine-1" in on_call.listed()


def test_a_batch_is_sent_only_once_somebody_says_yes(
    script: Script, on_call: Watched, waiting: str
) -> None:
    path = f"/accounts/{on_call.account.account_id}/workflows/orders/batches"
    asked = {"instances": [{"instance_id": "b-1"}, {"params": {"n": 2}}]}

    told = script.post(path, asked, key="a").json()

    assert (told["stage"], told["number"]) == ("proposed", 2)
    assert "b-1" not in on_call.listed()
    begun = script.post(f"/operations/{told['id']}/steer", {"stage": "running"}).json()
    assert begun["stage"] == Stage.RUNNING


def test_a_batch_with_mistakes_names_each(script: Script, on_call: Watched, waiting: str) -> None:
    path = f"/accounts/{on_call.account.account_id}/workflows/orders/batches"

    answer = script.post(path, {"instances": [{"instance_id": "a b"}, {"colour": 1}]}, key="a")

    assert answer.status_code == 422
    assert [one["where"] for one in answer.json()["errors"]] == ["instances", "instances"]


def test_operations_are_found_by_who_and_what(
    script: Script, on_call: Watched, waiting: str
) -> None:
    script.post(SINGLE, one(on_call, waiting), key="a")

    assert script.get("/operations", by="olga", kind="pause").json()["total"] == 1
    assert script.get("/operations", kind="resume").json()["operations"] == []
    assert script.get("/operations", page=2).json()["operations"] == []
    assert script.get("/operations", by="nobody").status_code == 422


def test_a_group_is_told_and_somebody_says_something_of_it(
    script: Script, on_call: Watched, errored: list[str]
) -> None:
    for instance_id in errored:
        account_id = on_call.account.account_id
        script.get(f"/accounts/{account_id}/workflows/orders/instances/{instance_id}")
    [group] = script.get("/groups").json()["groups"]
    assert group["state"] == "new"

    path = f"/groups/{group['pk']}"
    refused = script.post(f"{path}/decisions", {"kind": "ignored", "reason": "known"})
    told = script.post(f"{path}/decisions", {"kind": "resolved", "reason": "mended"}).json()

    assert refused.status_code == 422
    assert "Say what ends it" in str(refused.json()["errors"])
    assert told["state"] == "resolved"
    assert [(one["kind"], one["by"]) for one in told["sayings"]] == [("resolved", "olga")]
    assert script.get("/groups", state="new").json()["groups"] == []
    assert script.post(f"{path}/decisions", {"kind": "split"}).status_code == 409
    assert script.post(f"{path}/decisions", {"kind": "merged", "other": 10**12}).status_code == 422


@pytest.fixture
def incident(operator: User, on_call: Watched) -> AlertIncident:
    now = on_call.clock()
    rule = AlertRule.objects.create(name="Stuck", kind="stuck", changed_by=operator, changed_at=now)
    return AlertIncident.objects.create(
        rule=rule, key="k", subject="orders", sentence="Three hang.", opened_at=now, fired_at=now
    )


def test_an_alert_is_told_and_acknowledged(
    script: Script, reading: Script, incident: AlertIncident
) -> None:
    [told] = reading.get("/alerts").json()["alerts"]
    path = f"/alerts/{told['pk']}"

    assert reading.post(f"{path}/acknowledge", {}).status_code == 403
    seen = script.post(f"{path}/acknowledge", {"note": "I look"}).json()

    assert (seen["acknowledged_by"], seen["note"]) == ("olga", "I look")
    assert [event["kind"] for event in seen["events"]] == ["acknowledged"]
    AlertIncident.objects.update(resolved_at=incident.opened_at)
    assert script.post(f"{path}/acknowledge", {}).status_code == 409


@pytest.mark.parametrize(
    "path", ["/groups/1", "/alerts/1", f"/operations/{'0' * 8}-0000-0000-0000-{'0' * 12}"]
)
def test_what_is_not_there_is_not_found(reading: Script, path: str) -> None:
    assert reading.get(path).status_code == 404


def test_a_read_only_dashboard_does_nothing_for_scripts_either(
    script: Script, configured: Server, settings: Any
) -> None:
    settings.READ_ONLY = True
    instance()

    answer = script.post("/operations/preview", RESTART_ALL)

    assert answer.status_code == 403
    assert "read-only" in answer.json()["detail"]
