"""What people can do to instances, and what that does to their steps."""

from __future__ import annotations

import pytest

from dashboard.simulator import Server
from dashboard.simulator.plan import Do, Plan, Wait, in_turn

from .conftest import Answer, Caller


def names(call: Caller, workflow: str, instance_id: str) -> list[str]:
    return [
        step.get("name", step["type"]) for step in call.instance(workflow, instance_id)["steps"]
    ]


def test_a_pause_lets_the_step_in_flight_finish_first(server: Server, call: Caller) -> None:
    plan = Plan(in_turn(Do("long", 90_000, {"ok": 1}), Do("next", 1_000)))
    server.world.add_instance("w", "running", instance_id="a", plan=plan, age=30)

    assert call.act("w", "a", "pause").result["status"] == "waitingForPause"
    server.world.advance(120)
    detail = call.instance("w", "a")
    assert detail["status"] == "paused"
    assert [step["success"] for step in detail["steps"]] == [True]


def test_a_sleep_is_paused_at_once_and_keeps_the_time_it_had_left(
    server: Server, call: Caller
) -> None:
    server.world.add_instance("w", "sleeping", instance_id="a", age=3_600)
    due = call.instance("w", "a")["steps"][1]["end"]

    assert call.act("w", "a", "pause").result["status"] == "paused"
    server.world.advance(60)
    assert call.act("w", "a", "resume").result["status"] == "waiting"
    later = call.instance("w", "a")["steps"][1]["end"]

    assert later[:14] == due[:14]
    assert int(later[14:16]) == int(due[14:16]) + 1
    assert later[16:] == due[16:]


def test_a_resume_withdraws_a_pause_that_has_not_taken_effect(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "waitingForPause", instance_id="a")

    assert call.act("w", "a", "resume").result["status"] == "running"


@pytest.mark.parametrize("action", ["pause", "resume"])
@pytest.mark.parametrize("state", ["complete", "errored", "terminated", "queued"])
def test_a_pause_or_resume_that_makes_no_sense_changes_nothing(
    server: Server, call: Caller, state: str, action: str
) -> None:
    server.world.add_instance("w", state, instance_id="a")
    before = call.instance("w", "a")

    assert call.act("w", "a", action).result["status"] == state
    assert call.instance("w", "a") == before


@pytest.mark.parametrize("state", ["complete", "errored", "terminated"])
def test_a_finished_instance_cannot_be_terminated(server: Server, call: Caller, state: str) -> None:
    server.world.add_instance("w", state, instance_id="a")

    answer = call.act("w", "a", "terminate")

    assert (answer.status, answer.code) == (409, 10401)
    assert answer.json["errors"][0]["message"].endswith("cannot_terminate")


@pytest.mark.parametrize("state", ["queued", "running", "waiting", "paused", "waitingForPause"])
def test_everything_else_can_and_says_so_in_the_log(
    server: Server, call: Caller, state: str
) -> None:
    server.world.add_instance("w", state, instance_id="a")

    assert call.act("w", "a", "terminate").result["status"] == "terminated"

    detail = call.instance("w", "a")
    assert detail["steps"][-1] == {"type": "termination", "trigger": {"source": "api"}}
    assert detail["end"] == "2026-11-20T12:00:00.000Z"
    assert detail["success"] is False


def test_terminating_with_rollback_rolls_back_first(server: Server, call: Caller) -> None:
    plan = Plan(in_turn(Do("hold", 500, {"h": 1}, undo_ms=60_000), Do("long", 3_600_000)))
    server.world.add_instance("w", "running", instance_id="a", plan=plan)

    assert call.act("w", "a", "terminate", rollback=True).result["status"] == "rollingBack"
    server.world.advance(61)

    detail = call.instance("w", "a")
    assert detail["status"] == "terminated"
    assert detail["rollback"] == {"outcome": "complete", "error": None}
    assert [(s["type"], s.get("name")) for s in detail["steps"]][-2:] == [
        ("termination", None),
        ("rollback", "hold-1"),
    ]


def test_rollback_belongs_to_terminate_only(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "running", instance_id="a")

    assert call.act("w", "a", "pause", rollback=True).code == 10002


def test_a_restart_erases_the_steps_and_keeps_id_params_and_creation(
    server: Server, call: Caller
) -> None:
    server.world.add_instance("w", "errored", instance_id="a", params={"n": 1})
    before = call("GET", "/w/instances").result[0]

    assert call.act("w", "a", "restart").result["status"] == "queued"

    after = call("GET", "/w/instances").result[0]
    detail = call.instance("w", "a")
    assert after["created_on"] == before["created_on"]
    assert detail["params"] == {"n": 1}
    assert (detail["steps"], detail["start"]) == ([], None)
    assert detail["queued"] == "2026-11-20T12:00:00.000Z"
    server.world.advance(60)
    assert call.instance("w", "a")["status"] == "complete"


def parallel() -> Plan:
    return Plan(
        in_turn(
            Do("first", 1_000, 1),
            (Do("left", 1_000, 2), Do("right", 1_000, 3)),
            Do("item", 1_000, 4),
            Do("item", 1_000, 5),
        )
    )


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ({"name": "first"}, []),
        ({"name": "right"}, ["first-1", "left-1"]),
        ({"name": "item", "count": 2}, ["first-1", "left-1", "right-1", "item-1"]),
        ({"name": "item", "count": 2, "type": "do"}, ["first-1", "left-1", "right-1", "item-1"]),
    ],
)
def test_a_restart_from_a_step_keeps_what_started_before_it(
    server: Server, call: Caller, target: dict[str, object], kept: list[str]
) -> None:
    server.world.add_instance("w", "running", instance_id="a", plan=parallel())
    before = call.instance("w", "a")["steps"]

    call.act("w", "a", "restart", **{"from": target})

    assert names(call, "w", "a") == kept
    assert call.instance("w", "a")["steps"] == before[: len(kept)]
    server.world.advance(60)
    assert names(call, "w", "a") == ["first-1", "left-1", "right-1", "item-1", "item-2"]
    assert call.instance("w", "a")["status"] == "complete"


def test_a_restart_from_a_step_that_never_was_is_refused(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "complete", instance_id="a")
    before = call.instance("w", "a")

    answer = call.act("w", "a", "restart", **{"from": {"name": "nope"}})

    assert answer.status == 409
    assert 'Step "nope" not found' in answer.json["errors"][0]["message"]
    assert call.instance("w", "a") == before


def test_an_instance_that_nobody_touched_can_be_changed_too(ask: Caller, incident: Server) -> None:
    sleeper = ask("GET", "/customer-onboarding/instances?status=waiting&per_page=1").result[0]
    steps = ask.instance("customer-onboarding", sleeper["id"])["steps"]
    counts = ask("GET", "/customer-onboarding").result["instances"]

    assert ask.act("customer-onboarding", sleeper["id"], "pause").result["status"] == "paused"

    after = ask("GET", "/customer-onboarding").result["instances"]
    assert after["waiting"] == counts["waiting"] - 1
    assert after["paused"] == counts["paused"] + 1
    assert ask.instance("customer-onboarding", sleeper["id"])["steps"] == steps
    rows = ask("GET", "/customer-onboarding/instances?per_page=100").result
    assert [row["status"] for row in rows if row["id"] == sleeper["id"]] == ["paused"]


def event(call: Caller, kind: str, payload: object) -> Answer:
    return call("POST", f"/w/instances/a/events/{kind}", payload)


def test_an_event_ends_the_wait_for_it(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "waiting-for-event", instance_id="a")
    waiting = call.instance("w", "a")["steps"][1]
    assert (waiting["finished"], waiting["event_type"]) == (False, "approval")

    sent = event(call, "approval", {"ok": True}).result

    assert sent == {"instanceId": "a", "timestamp": "2026-11-20T12:00:00.000Z"}
    wait = call.instance("w", "a")["steps"][1]
    assert (wait["finished"], wait["end"]) == (True, "2026-11-20T12:00:00.000Z")
    assert '"payload":{"ok":true}' in wait["output"]
    server.world.advance(300)
    assert call.instance("w", "a")["status"] == "complete"


def test_an_event_of_another_type_changes_nothing(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "waiting-for-event", instance_id="a")
    before = call.instance("w", "a")

    event(call, "something-else", {})

    assert call.instance("w", "a") == before


def test_an_event_that_comes_before_its_wait_is_kept(server: Server, call: Caller) -> None:
    plan = Plan(in_turn(Do("long", 120_000), Wait("wait", "approval"), Do("after", 500)), output=1)
    server.world.add_instance("w", "running", instance_id="a", plan=plan, age=60)

    event(call, "approval", {"early": True})
    server.world.advance(62)

    detail = call.instance("w", "a")
    assert detail["status"] == "complete"
    assert '"early":true' in detail["steps"][1]["output"]


def test_an_event_during_a_pause_is_taken_on_resume(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "paused-waiting-for-event", instance_id="a")

    event(call, "approval", {"ok": 1})
    assert call.instance("w", "a")["steps"][1]["finished"] is False
    call.act("w", "a", "resume")

    assert call.instance("w", "a")["steps"][1]["finished"] is True


def test_all_instances_of_a_status_are_terminated_a_moment_later(
    server: Server, call: Caller
) -> None:
    server.world.add_instance("w", "running", instance_id="a")
    server.world.add_instance("w", "paused", instance_id="b")

    assert call("PUT", "/w/instances/terminate?status=running").result == {"status": "ok"}
    again = call("PUT", "/w/instances/terminate?status=running").result
    assert again == {"status": "already_running"}
    assert call.instance("w", "a")["status"] == "running"
    server.world.advance(3)

    assert call.instance("w", "a")["status"] == "terminated"
    assert call.instance("w", "b")["status"] == "paused"
