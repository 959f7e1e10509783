"""Every route says what the official pages say, and refuses what they forbid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dashboard import simulator
from dashboard.simulator import Server
from dashboard.simulator.plan import Do, Failure, Plan, Retries, Sleep, Stream, Wait, in_turn

from .conftest import NOON, Caller

SAMPLES = Path(__file__).parent.parent / "samples"


def test_paging_by_cursor_gives_every_id_once(ask: Caller) -> None:
    for direction in ("asc", "desc"):
        found, cursor = [], ""
        while True:
            answer = ask(
                "GET", f"/order-pipeline/instances?per_page=37&direction={direction}{cursor}"
            ).json
            found += [(row["created_on"], row["id"]) for row in answer["result"]]
            info = answer["result_info"]
            assert info["count"] == len(answer["result"])
            if "cursor" not in info:
                break
            cursor = f"&cursor={info['cursor']}"
        assert len(found) == len(set(found)) == info["total_count"]
        assert found == sorted(found, reverse=direction == "desc")


def test_a_cursor_is_not_moved_by_new_instances(server: Server, call: Caller) -> None:
    for number in range(6):
        server.world.add_instance("w", "complete", instance_id=f"o-{number}", age=60 - number)
    first = call("GET", "/w/instances?per_page=3").json
    server.world.advance(1)
    server.world.add_instance("w", "queued", instance_id="new", age=0)

    second = call("GET", f"/w/instances?per_page=3&cursor={first['result_info']['cursor']}").result

    assert [row["id"] for row in first["result"] + second] == [f"o-{n}" for n in range(5, -1, -1)]


def test_a_cursor_can_change_direction(server: Server, call: Caller) -> None:
    for number in range(6):
        server.world.add_instance("w", "complete", instance_id=f"o-{number}", age=60 - number)
    cursor = call("GET", "/w/instances?per_page=3").json["result_info"]["cursor"]

    back = call("GET", f"/w/instances?per_page=3&cursor={cursor}&direction=asc").result

    assert [row["id"] for row in back] == ["o-4", "o-5"]


def test_cursors_expire(server: Server, call: Caller) -> None:
    for number in range(3):
        server.world.add_instance("w", "complete", instance_id=f"o-{number}")
    cursor = call("GET", "/w/instances?per_page=1").json["result_info"]["cursor"]
    server.world.advance(601)

    answer = call("GET", f"/w/instances?per_page=1&cursor={cursor}")

    assert answer.status == 400
    assert "expired" in answer.json["errors"][0]["message"]


def test_paging_by_number_gives_every_id_once(ask: Caller) -> None:
    found: list[str] = []
    for page in range(1, 100):
        answer = ask("GET", f"/flaky-import/instances?per_page=50&page={page}").json
        if not answer["result"]:
            break
        assert answer["result_info"]["page"] == page
        assert "cursor" not in answer["result_info"]
        found += [row["id"] for row in answer["result"]]

    assert len(found) == len(set(found)) == answer["result_info"]["total_count"]


@pytest.mark.parametrize(
    "query",
    [
        "per_page=0",
        "per_page=101",
        "per_page=abc",
        "page=0",
        "status=sleeping",
        "direction=up",
        "cursor=nonsense",
        "cursor=abc&page=1",
        "date_start=2026-11-20",
        "date_start=2026-11-20T00:00:00%2B01:00",
        "date_start=2026-13-20T00:00:00Z",
        "date_start=2026-11-20T00:00:00Z&date_end=2026-11-19T00:00:00Z",
    ],
)
def test_bad_query_parameters_are_refused(ask: Caller, query: str) -> None:
    answer = ask("GET", f"/order-pipeline/instances?{query}")

    assert (answer.status, answer.code) == (400, 10001)


def test_dates_bound_the_creation(ask: Caller) -> None:
    rows = ask(
        "GET",
        "/order-pipeline/instances?per_page=100&direction=asc"
        "&date_start=2026-11-19T06:00:00Z&date_end=2026-11-19T09:00:00.500Z",
    ).result

    assert rows
    assert all(
        "2026-11-19T06:00" <= row["created_on"] <= "2026-11-19T09:00:00.500Z" for row in rows
    )


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nope", 10200),
        ("GET", "/nope/instances", 10200),
        ("POST", "/nope/instances", 10200),
        ("DELETE", "/nope", 10200),
        ("GET", "/w/instances/nope", 10400),
        ("GET", "/w/instances/nope/step?name=a-1&type=step", 10400),
        ("PATCH", "/w/instances/nope/status", 10400),
        ("POST", "/w/instances/nope/events/x", 10400),
        ("GET", "/w/versions/nope", 10300),
        ("GET", "/w/versions/nope/graph", 10300),
        ("GET", "/w/nonsense", 7003),
        ("GET", "/accounts/not-an-account/workflows", 7003),
    ],
)
def test_what_is_not_there_is_404_with_its_code(
    server: Server, call: Caller, method: str, path: str, code: int
) -> None:
    server.world.add_instance("w", "complete")

    answer = call(method, path, {"status": "pause"} if method != "GET" else None)

    assert (answer.status, answer.code) == (404, code)


def test_another_account_is_out_of_reach(call: Caller) -> None:
    answer = call("GET", f"/accounts/{'0' * 32}/workflows")

    assert (answer.status, answer.code) == (403, 10000)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Token abc"])
def test_a_malformed_authorization_is_told_apart(call: Caller, header: str) -> None:
    call.headers = {"Authorization": header} if header else {}

    answer = call("GET", "")

    assert (answer.status, answer.code) == (400, 6003)
    assert answer.json["errors"][0]["error_chain"][0]["code"] == 6111


@pytest.mark.parametrize("token", ["wrong", "simulator-expired-token"])
def test_a_token_that_is_no_good_is_refused(call: Caller, token: str) -> None:
    call.headers = {"Authorization": f"Bearer {token}"}

    answer = call("GET", "")

    assert (answer.status, answer.code) == (401, 10000)


def test_a_read_only_token_reads_and_writes_nothing(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "running", instance_id="a")
    call.headers = {"Authorization": f"Bearer {server.read_only_token}"}

    assert call.instance("w", "a")["status"] == "running"
    for answer in (
        call.act("w", "a", "terminate"),
        call("POST", "/w/instances", {}),
        call("DELETE", "/w"),
        call("POST", "/w/instances/a/events/x", {}),
    ):
        assert (answer.status, answer.code) == (403, 10000)
    assert call.instance("w", "a")["status"] == "running"


def test_email_and_key_are_taken_too(call: Caller) -> None:
    call.headers = {}
    key = "simulator-global-api-key"

    assert call("GET", "", X_Auth_Email="simulator@example.com", X_Auth_Key=key).status == 200
    assert call("GET", "", X_Auth_Email="simulator@example.com", X_Auth_Key="x").status == 400


def test_tokens_are_verified_where_they_belong(server: Server, call: Caller) -> None:
    of_account = f"/accounts/{server.account_id}/tokens/verify"
    assert call("GET", "/user/tokens/verify").result["status"] == "active"
    assert call("GET", of_account).code == 1000
    call.headers = {"Authorization": "Bearer simulator-account-token"}
    assert call("GET", "/user/tokens/verify").code == 1000
    assert call("GET", of_account).result["status"] == "active"


def test_the_rate_limit_is_announced_and_then_enforced_for_five_minutes() -> None:
    with simulator.serve("empty", now=NOON, rate_limit=3) as server:
        call = Caller(server)
        left = [call("GET", "").headers["ratelimit"] for _ in range(3)]
        refused = call("GET", "")
        server.world.advance(299)
        still = call("GET", "")
        server.world.advance(2)
        again = call("GET", "")

    assert left == ['"default";r=2;t=300', '"default";r=1;t=300', '"default";r=0;t=300']
    assert (refused.status, refused.headers["retry-after"]) == (429, "300")
    assert refused.headers["ratelimit-policy"] == '"default";q=3;w=300'
    assert (still.status, again.status) == (429, 200)


def test_create_answers_with_the_id_and_refuses_it_the_second_time(
    server: Server, call: Caller
) -> None:
    server.world.add_instance("w", "complete")
    wanted = {"instance_id": "mine", "params": [1, None], "location_hint": "weur"}

    made = call("POST", "/w/instances", wanted).result
    again = call("POST", "/w/instances", wanted)

    assert made["id"] == "mine"
    assert made["status"] == "queued"
    assert (again.status, again.code) == (409, 10405)
    server.world.advance(60)
    assert call.instance("w", "mine")["params"] == [1, None]
    assert call.instance("w", "mine")["status"] == "complete"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        [],
        {"instance_id": "-starts-with-a-dash"},
        {"instance_id": "has space"},
        {"instance_id": "x" * 101},
        {"instance_id": "cf_" + "0" * 64},
        {"location_hint": "mars"},
        {"instance_retention": {"success_retention": "soon"}},
    ],
)
def test_create_refuses_a_bad_body(server: Server, call: Caller, body: Any) -> None:
    server.world.add_instance("w", "complete")

    answer = call("POST", "/w/instances", body)

    assert (answer.status, answer.code) == (400, 10002)


def test_an_instance_can_bring_its_own_retention(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete")
    body = {"instance_id": "brief", "instance_retention": {"success_retention": "5 minutes"}}
    call("POST", "/w/instances", body)
    server.world.advance(60)
    assert call.instance("w", "brief")["status"] == "complete"
    server.world.advance(300)

    assert call("GET", "/w/instances/brief").code == 10400
    assert call("POST", "/w/instances", body).result["id"] == "brief"


def test_a_batch_skips_ids_in_use_without_a_word(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="taken")

    made = call("POST", "/w/instances/batch", [{"instance_id": i} for i in ("a", "taken", "b")])

    assert [item["id"] for item in made.result] == ["a", "b"]
    for body in ([], [{}] * 101, {}):
        assert call("POST", "/w/instances/batch", body).code == 10002


def test_a_batch_delete_tells_each_id_apart(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "running", instance_id="a")

    found = call("POST", "/w/instances/batch/delete", {"instances": ["a", "nope"]}).result

    assert found["deleted"] == [{"id": "a"}]
    assert [(e["id"], e["code"]) for e in found["errors"]] == [("nope", 10400)]
    assert call("GET", "/w/instances/a").code == 10400


def test_a_cron_id_is_addressed_percent_encoded(ask: Caller) -> None:
    row = ask("GET", "/nightly-report/instances?per_page=1").result[0]
    assert re.fullmatch(r"\*/30 \* \* \* \*-\d{13}", row["id"])

    detail = ask("GET", f"/nightly-report/instances/{quote(row['id'], safe='')}").result

    assert detail["trigger"] == {"source": "cron"}
    tick = int(row["id"].rpartition("-")[2])
    assert detail["schedule"] == {"cron": "*/30 * * * *", "scheduledTime": tick}


DYNAMIC = Retries(3, "[dynamic]", None)


def rich() -> Plan:
    """A plan with every kind of output."""
    return Plan(
        in_turn(
            Do("long", 10, ["x" * 400] * 10),
            Do("secret", 10, {"card": "4242"}, sensitive=True),
            Do("file", 10, Stream(5_000)),
            Do("nothing", 10),
            Sleep("nap", 10),
            Wait("wait", "go", answered_after=10, payload={"n": 1}),
            Do("caught", 10, failures=(Failure("Error", "no"),), fails=True, caught=True,
               retries=Retries(0)),
            Do("flaky", 10, failures=(Failure("TypeError", "x"),), retries=DYNAMIC),
        ),
        output=7,
    )  # fmt: skip


def test_long_outputs_are_cut_in_the_log_and_whole_behind_step(
    server: Server, call: Caller
) -> None:
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())
    step = call.instance("w", "a")["steps"][0]

    assert step["output"].endswith("[truncated output]")
    assert len(step["output"]) == 1_024 + len("[truncated output]")
    whole = call("GET", "/w/instances/a/step?name=long-1&type=step").result
    assert whole == {"status": "complete", "error": None, "output": ["x" * 400] * 10}


def test_sensitive_outputs_are_never_shown(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())
    step = call.instance("w", "a")["steps"][1]

    assert (step["output"], step["config"]["sensitive"]) == ("[REDACTED]", "output")
    whole = call("GET", "/w/instances/a/step?name=secret-1&type=step").result
    assert whole["output"] == "[REDACTED]"


def test_streams_come_as_they_are(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())

    assert call.instance("w", "a")["steps"][2]["output"] == "[ReadableStream (binary): 5000 bytes]"
    answer = call("GET", "/w/instances/a/step?name=file-1&type=step")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert len(answer.body) == 5_000


def test_single_attempts_and_waits_are_behind_step_too(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())

    first = call("GET", "/w/instances/a/step?name=flaky-1&type=step&attempt=1").result
    assert (first["status"], first["error"]["name"]) == ("errored", "TypeError")
    wait = call("GET", "/w/instances/a/step?name=wait-1&type=waitForEvent").result
    assert (wait["output"]["payload"], wait["event_type"]) == ({"n": 1}, "go")
    assert call("GET", "/w/instances/a/step?name=flaky-1&type=step&attempt=9").status == 404
    assert call("GET", "/w/instances/a/step?name=flaky-1").status == 400
    assert call("GET", "/w/instances/a/step?name=nap-1&type=sleep").status == 400


def test_a_step_between_retries_is_running_with_an_error(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "between-retries", instance_id="a")

    found = call("GET", "/w/instances/a/step?name=flaky%20step-1&type=step").result

    assert (found["status"], found["error"]["message"]) == ("running", "upstream returned 503")


def test_order_and_simple_shape_the_detail(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())
    steps = call.instance("w", "a")["steps"]

    assert call("GET", "/w/instances/a?order=desc").result["steps"] == steps[::-1]
    simple = call("GET", "/w/instances/a?simple=true").result
    assert "steps" not in simple
    assert (simple["step_count"], simple["output"]) == (len(steps), 7)
    assert call("GET", "/w/instances/a?simple=1").status == 400


def keys(shape: Any) -> Any:
    return sorted(shape) if isinstance(shape, dict) else None


def test_the_shapes_are_those_of_recorded_answers(server: Server, call: Caller) -> None:
    """Compared with what Cloudflare's local engine said: every key it has, ours has too."""
    server.world.add_instance("w", "complete", instance_id="a", plan=rich())
    detail = call.instance("w", "a")
    ours = {step["type"]: step for step in detail["steps"]}
    recorded = [
        json.loads(path.read_text())["result"]
        for path in SAMPLES.glob("*.json")
        if not path.name.startswith("complete.output-1.5MB")
    ]

    assert recorded
    for sample in recorded:
        assert set(sample) <= set(detail)
        for step in sample["steps"]:
            assert set(step) - {"output"} <= set(ours[step["type"]])
            if step["type"] == "step":
                config = step["config"]
                assert set(config) <= set(ours["step"]["config"]) | {"sensitive"}
                assert set(config["retries"]) <= {"limit", "delay", "backoff"}
                for attempt in step["attempts"]:
                    assert keys(attempt) == keys(ours["step"]["attempts"][0])


def test_the_old_shape_knows_eight_statuses_and_fewer_fields() -> None:
    with simulator.serve("incident", now=NOON, shape="old") as server:
        call = Caller(server)
        workflow = call("GET", "/refund-saga").result
        rows = call("GET", "/refund-saga/instances?per_page=100").result
        details = [call.instance("refund-saga", row["id"]) for row in rows[:20]]
        running = call("GET", "/refund-saga/instances?status=running").result
        refused = call("GET", "/refund-saga/instances?status=rollingBack")

    assert "rollingBack" not in workflow["instances"]
    assert all("trigger_source" not in row and row["status"] != "rollingBack" for row in rows)
    assert all("rollback" not in detail for detail in details)
    assert "rollback" not in {step["type"] for detail in details for step in detail["steps"]}
    assert len([row for row in rows if row["status"] == "running"]) == len(running) > 0
    assert refused.status == 400


def test_workflows_are_searched_by_a_part_of_the_name(ask: Caller) -> None:
    found = ask("GET", "?search=onboard").result

    assert [workflow["name"] for workflow in found] == ["customer-onboarding"]


def test_a_new_version_is_deployed_by_put(server: Server, call: Caller) -> None:
    body = {"class_name": "Mine", "script_name": "s", "concurrency": {"limit": 3},
            "default_retention": {"success_retention": "1 day"}}  # fmt: skip
    call("PUT", "/mine", body)
    server.world.advance(1)
    second = call("PUT", "/mine", {"class_name": "Mine2", "script_name": "s"}).result

    versions = call("GET", "/mine/versions").result
    assert [v["class_name"] for v in versions] == ["Mine2", "Mine"]
    assert versions[0]["id"] == second["version_id"]
    assert versions[1]["concurrency"] == {"limit": 3}
    assert versions[1]["default_retention"]["success_retention"] == 86_400_000
    assert call("GET", f"/mine/versions/{versions[1]['id']}").result == versions[1]
    assert call("GET", f"/mine/versions/{versions[1]['id']}/graph").result["graph"] is None
    assert call("PUT", "/mine", {"class_name": ""}).code == 10002


def test_an_instance_can_have_25_000_steps(server: Server, call: Caller) -> None:
    steps = [Do("process item", 10, n) for n in range(25_000)]
    plan = Plan(in_turn(*steps))
    server.world.add_instance("w", "complete", instance_id="a", plan=plan, age=3_600)

    detail = call.instance("w", "a")

    assert (detail["step_count"], detail["steps"][-1]["name"]) == (25_000, "process item-25000")


def test_a_stream_may_be_larger_than_memory_should_hold(server: Server, call: Caller) -> None:
    size = 64 * 1_024 * 1_024 + 5
    plan = Plan(in_turn(Do("file", 10, Stream(size))))
    server.world.add_instance("w", "complete", instance_id="a", plan=plan)

    answer = call("GET", "/w/instances/a/step?name=file-1&type=step")

    assert len(answer.body) == size == int(answer.headers["content-length"])


def test_equal_names_are_counted_by_kind_and_sleeps_by_duration_too(
    server: Server, call: Caller
) -> None:
    plan = Plan(in_turn(Do("x", 1), Sleep("x", 5), Sleep("x", 5), Sleep("x", 7), Do("x", 1)))
    server.world.add_instance("w", "complete", instance_id="a", plan=plan)

    steps = call.instance("w", "a")["steps"]

    assert [(step["type"], step["name"]) for step in steps] == [
        ("step", "x-1"),
        ("sleep", "x-1"),
        ("sleep", "x-2"),
        ("sleep", "x-1"),
        ("step", "x-2"),
    ]


def test_a_token_can_be_revoked_in_the_middle(server: Server, call: Caller) -> None:
    assert call("GET", "").status == 200
    del server.grants[server.token]

    assert (call("GET", "").status, call("GET", "").code) == (401, 10000)


def test_a_workflow_that_is_made_again_has_another_id(server: Server, call: Caller) -> None:
    body = {"class_name": "Mine", "script_name": "s"}
    first = call("PUT", "/mine", body).result["id"]
    call("DELETE", "/mine")

    assert call("PUT", "/mine", body).result["id"] != first


def test_a_placed_instance_of_a_schedule_has_its_id(server: Server, call: Caller) -> None:
    instance_id = server.world.add_instance("n", "complete", cron="*/5 * * * *")

    detail = call.instance("n", quote(instance_id, safe=""))

    assert instance_id.startswith("*/5 * * * *-17")
    assert detail["schedule"]["scheduledTime"] == int(instance_id.rpartition("-")[2])
    assert server.world.status("n", instance_id) == "complete"
    with pytest.raises(ValueError, match="already"):
        server.world.add_instance("n", "complete", cron="*/5 * * * *")
