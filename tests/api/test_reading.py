"""What the API tells of workflows, instances, budget and sync is what the pages tell."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.db import OperationalError
from django.test import Client

from dashboard.api import seen
from dashboard.models import Grant, User
from dashboard.models.user import Role
from dashboard.views.frame import UNTOLD_ERROR
from tests.api.conftest import Script, make_token
from tests.fixtures import START, Watched
from tests.rows import HOSTILE, THEN, instance, workflow


def address(watched: Watched, instance_id: str, name: str = "orders") -> str:
    account_id = watched.account.account_id
    return f"/accounts/{account_id}/workflows/{name}/instances/{quote(instance_id, safe='')}"


def test_accounts_and_workflows_tell_their_counts_and_how_old_they_are(
    reading: Script, on_call: Watched
) -> None:
    on_call.add("running")
    on_call.add("errored")
    on_call.sync()

    [account] = reading.get("/accounts").json()["accounts"]
    told = reading.get(f"/accounts/{account['account_id']}/workflows").json()["workflows"]

    assert account["is_configured"] is True
    assert account["synced_at"] == "2026-11-21T03:00:00Z"
    counts = {status: number for status, number in told[0]["counts"].items() if number}
    assert counts == {"running": 1, "errored": 1}
    assert told[0]["counted_at"] == "2026-11-21T03:00:00Z"
    one = reading.get(f"/accounts/{account['account_id']}/workflows/orders").json()
    assert one == told[0]


def test_of_two_workflows_with_one_name_todays_is_told(reading: Script, db: None) -> None:
    gone = workflow("orders", gone_at=THEN)
    gone.pk = None
    gone.cloudflare_id, gone.gone_at, gone.class_name = "new", None, "Today"
    gone.save()

    assert reading.get("/accounts/acc1/workflows/orders").json()["class_name"] == "Today"


def test_a_list_is_what_the_search_finds_page_by_page(reading: Script, db: None) -> None:
    for number in range(5):
        instance(f"a-{number}", "errored", created_on=THEN + timedelta(minutes=number))
    instance("b", "running")

    first = reading.get("/instances", q="status:errored", limit=3).json()
    second = reading.get("/instances", q="status:errored", limit=3, after=first["next"]).json()

    assert [row["id"] for row in first["instances"]] == ["a-4", "a-3", "a-2"]
    assert (first["matches"], first["is_exact"]) == (5, True)
    assert first["counts"] == {"errored": 5, "running": 1}
    assert [row["id"] for row in second["instances"]] == ["a-1", "a-0"]
    assert (second["next"], second["matches"]) == ("", None)
    back = reading.get("/instances", q="status:errored", limit=3, before=second["previous"]).json()
    assert back["instances"] == first["instances"]


def test_a_row_leads_to_its_page_and_says_how_old_it_is(reading: Script, db: None) -> None:
    instance("one/two *", "running", of=workflow("orders"))

    [row] = reading.get("/instances").json()["instances"]

    assert row["href"].endswith("/accounts/acc1/workflows/orders/instances/one/two%20*")
    assert row["href"].startswith("http://testserver/")
    assert row["seen_at"] == "2026-11-20T03:00:00Z"
    assert row["read_at"] is None


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"q": "colour:red"}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"q": "x" * 1001}, "query.q"),
        ({"sort": "beauty"}, "sort"),
        ({"after": "nowhere"}, "after"),
        ({"limit": "0"}, "query.limit"),
        ({"limit": "9" * 5000}, "query.limit"),
    ],
)
def test_what_does_not_fit_is_named_with_a_sentence(
    reading: Script, query: dict[str, str], where: str
) -> None:
    answer = reading.get("/instances", **query)

    assert answer.status_code == 422
    [mistake] = answer.json()["errors"]
    assert mistake["where"] == where
    assert mistake["sentence"].endswith(".")


def test_one_instance_is_as_cloudflare_tells_it_now(script: Script, on_call: Watched) -> None:
    instance_id = on_call.add("waiting-for-event")

    told = script.get(address(on_call, instance_id)).json()

    assert told["is_current"] is True
    assert told["told_at"] == "2026-11-21T03:00:00Z"
    assert told["detail"]["phase"]["kind"] == "waiting-for-event"
    assert told["detail"]["phase"]["text"].startswith("Waiting for event")
    assert told["detail"]["step_count"] == len(told["detail"]["steps"])
    assert told["detail"]["steps"][-1]["state"] == "waiting"
    why_not = {action["kind"]: action["why_not"] for action in told["actions"]}
    assert why_not["terminate"] == ""
    assert why_not["resume"].startswith("Only a paused instance")


def test_its_steps_come_in_parts(reading: Script, on_call: Watched) -> None:
    instance_id = on_call.add("complete")
    whole = reading.get(address(on_call, instance_id)).json()["detail"]["steps"]

    part = reading.get(address(on_call, instance_id), step_offset=1, step_limit=1).json()["detail"]

    assert part["steps"] == whole[1:2]
    assert part["step_count"] == len(whole)


def test_an_instance_that_is_not_there_is_not_found(reading: Script, on_call: Watched) -> None:
    on_call.add("running")
    on_call.sync()

    answer = reading.get(address(on_call, "no-such"))

    assert answer.status_code == 404
    assert answer.json()["detail"]


def test_where_cloudflare_does_not_answer_the_last_that_was_known_is_told_with_why(
    reading: Script, on_call: Watched
) -> None:
    instance_id = on_call.add("running")
    on_call.sync()
    on_call.server.stop()

    with time_machine.travel(START + timedelta(minutes=1), tick=False):
        told = reading.get(address(on_call, instance_id))

    assert told.status_code == 200
    assert told.json()["is_current"] is False
    assert told.json()["told_at"] != told.json()["as_of"] == "2026-11-21T03:01:00Z"
    assert told.json()["failure"]


def test_where_cloudflare_does_not_answer_and_nothing_is_known_the_status_says_so(
    reading: Script, on_call: Watched
) -> None:
    on_call.server.stop()

    answer = reading.get(address(on_call, "never-seen"))

    assert answer.status_code == 504
    assert answer.json()["detail"]


def test_the_output_of_a_step_is_told_whole(reading: Script, on_call: Watched) -> None:
    instance_id = on_call.add("complete")
    on_call.sync()
    told = reading.get(address(on_call, instance_id)).json()["detail"]["steps"]
    step = next(step for step in told if step["type"] == "step")

    query = {
        "account_id": on_call.account.account_id,
        "workflow_name": "orders",
        "instance_id": instance_id,
        "name": step["name"],
        "type": step["type"],
    }
    output = reading.get("/step-output", **query)

    assert output.status_code == 200
    assert output.json()["output"] == step["output"]


def test_markup_stays_what_it_is_and_is_never_a_page(reading: Script, db: None) -> None:
    instance(HOSTILE, "errored", error_message=HOSTILE)

    answer = reading.get("/instances")

    assert answer["Content-Type"].startswith("application/json")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer.json()["instances"][0]["error_message"] == HOSTILE


def test_budget_and_sync_are_told_also_while_redis_is_away(
    reading: Script, on_call: Watched
) -> None:
    on_call.sync()

    budget, sync = reading.get("/budget").json(), reading.get("/sync").json()

    assert [one["is_known"] for one in budget["budgets"]] == [False]
    assert sync["is_redis_known"] is False
    assert sync["accounts"][0]["synced_at"] == "2026-11-21T03:00:00Z"


def test_a_database_that_is_away_is_told_in_the_same_form(
    reading: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(seen, "instances", gone)

    answer = reading.get("/instances")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer.json()["detail"].startswith("The database does not answer")


def test_a_mistake_of_ours_is_told_in_the_same_form_and_tells_nothing_of_itself(
    reading: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a secret of the code")

    monkeypatch.setattr(seen, "instances", broken)

    answer = reading.get("/instances")

    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()


def test_its_document_is_for_whoever_may_ask(reading: Script, db: None) -> None:
    assert Client().get("/api/v1/openapi.json").status_code == 401
    document = reading.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert "/api/v1/instances" in document["paths"]


def test_why_a_sync_fails_is_told_to_those_who_see_all(reading: Script, on_call: Watched) -> None:
    on_call.add("running")
    account = on_call.sync()
    account.sync_error = "workflows/ledger: 500"
    account.save()
    restricted = User.objects.create(username="restricted", role=Role.NONE)
    Grant.objects.create(user=restricted, role="viewer", pattern="orders", granted_at=THEN)

    [told] = reading.get("/accounts").json()["accounts"]
    [untold] = Script(make_token(restricted, "read")[1]).get("/accounts").json()["accounts"]

    assert told["sync_error"] == "workflows/ledger: 500"
    assert untold["sync_error"] == UNTOLD_ERROR
