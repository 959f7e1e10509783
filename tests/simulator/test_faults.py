"""Faults that can be asked for, over a real socket."""

from __future__ import annotations

import contextlib
import time
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected

import pytest

from dashboard.simulator import Server
from dashboard.simulator.faults import KINDS

from .conftest import Caller


@pytest.fixture(autouse=True)
def instances(server: Server) -> None:
    for number in range(5):
        server.world.add_instance("w", "waiting", instance_id=f"o-{number}", age=60 - number)


def ids(call: Caller, query: str = "") -> list[str]:
    return [row["id"] for row in call("GET", f"/w/instances?per_page=2{query}").result]


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("rate-limited", 429, "application/json"),
        ("error-10001", 500, "application/json"),
        ("html", 502, "text/html; charset=UTF-8"),
        ("challenge", 403, "text/html; charset=UTF-8"),
        ("refused-200", 200, "application/json"),
        ("content-type", 200, "text/plain; charset=utf-8"),
        ("error-10001-with-result", 500, "application/json"),
    ],
)
def test_an_answer_can_be_spoilt_a_number_of_times(
    server: Server, call: Caller, kind: str, status: int, content_type: str
) -> None:
    server.faults.add(kind, times=1)
    first, second = call("GET", "/w/instances"), call("GET", "/w/instances")

    assert (first.status, first.headers["content-type"]) == (status, content_type)
    assert len(second.result) == 5


def test_they_can_be_asked_for_and_taken_back_over_http(server: Server, call: Caller) -> None:
    asked = {"kind": "html", "status": 504, "method": "GET", "path": "/instances$"}
    assert call("POST", "/_simulator/faults", asked).json["faults"][0]["kind"] == "html"

    assert call("GET", "/w/instances").status == 504
    assert call("GET", "/w").status == 200
    call("DELETE", "/_simulator/faults")
    assert call("GET", "/w/instances").status == 200
    assert call("POST", "/_simulator/faults", {"kind": "flood"}).status == 400


@pytest.mark.parametrize(("asked", "given"), [(7, "7"), ("date", "GMT"), (None, None)])
def test_429_tells_when_to_return_in_three_ways(
    server: Server, call: Caller, asked: int | str | None, given: str | None
) -> None:
    server.faults.add("rate-limited", retry_after=asked)
    found = call("GET", "").headers.get("retry-after")

    assert found == given if given is None else found is not None and found.endswith(given)


def test_a_challenge_wears_its_header(server: Server, call: Caller) -> None:
    server.faults.add("challenge")

    assert call("GET", "").headers["cf-mitigated"] == "challenge"


def test_a_failure_can_come_with_a_complete_result(server: Server, call: Caller) -> None:
    server.faults.add("error-10001-with-result")
    answer = call("GET", "/w/instances/o-1")

    assert answer.code == 10001
    assert answer.json["result"]["status"] == "waiting"


def test_an_empty_answer_has_no_body(server: Server, call: Caller) -> None:
    server.faults.add("empty")
    answer = call("GET", "")

    assert (answer.status, answer.body) == (204, b"")


def test_a_body_can_be_cut_off(server: Server, call: Caller) -> None:
    server.faults.add("cut-off")

    with pytest.raises(IncompleteRead):
        call("GET", "/w/instances")


def test_a_connection_can_be_reset(server: Server, call: Caller) -> None:
    server.faults.add("reset", times=1)

    with pytest.raises((ConnectionResetError, RemoteDisconnected)):
        call.act("w", "o-1", "pause")
    assert call.instance("w", "o-1")["status"] == "waiting"


def test_an_answer_can_be_lost_after_the_action_had_its_effect(
    server: Server, call: Caller
) -> None:
    server.faults.add("reset", times=1, method="PATCH", executes=True)

    with pytest.raises((ConnectionResetError, RemoteDisconnected)):
        call.act("w", "o-1", "pause")
    assert call.instance("w", "o-1")["status"] == "paused"


@pytest.mark.parametrize("kind", ["slow-headers", "slow-body"])
def test_answers_can_be_slow(server: Server, call: Caller, kind: str) -> None:
    server.faults.add(kind, seconds=0.3)
    began = time.monotonic()

    assert len(call("GET", "/w/instances").result) == 5
    assert time.monotonic() - began > 0.29


def test_unknown_words_and_fields_can_appear(server: Server, call: Caller) -> None:
    for kind in (
        "unknown-status",
        "unknown-step",
        "unknown-trigger",
        "extra-fields",
        "missing-fields",
    ):
        server.faults.add(kind, times=1)
    details = [call.instance("w", "o-1") for _ in range(5)]

    assert details[0]["status"] == "hibernating"
    assert details[1]["steps"][0]["type"] == "subworkflow"
    assert details[2]["trigger"] == {"source": "telepathy"}
    assert "brand_new" in details[3]
    assert set(details[4]) == {"status", "steps"}


def test_rows_can_come_twice_or_never(server: Server, call: Caller) -> None:
    cursor = call("GET", "/w/instances?per_page=2").json["result_info"]["cursor"]
    server.faults.add("duplicate-rows", times=2)
    server.faults.add("skipped-rows", times=1)

    assert ids(call) == ["o-4", "o-3"]
    assert ids(call, f"&cursor={cursor}") == ["o-3", "o-2", "o-1"]
    assert ids(call, f"&cursor={cursor}") == ["o-1"]


@pytest.mark.parametrize("kind", ["repeating-cursor", "endless-cursor"])
def test_a_cursor_can_lead_nowhere(server: Server, call: Caller, kind: str) -> None:
    server.faults.add(kind)
    cursor, seen = "", []
    for _ in range(6):
        info = call("GET", f"/w/instances?per_page=2{cursor}").json["result_info"]
        seen.append(info["cursor"])
        cursor = f"&cursor={info['cursor']}"

    assert len(set(seen)) < len(seen)


def test_a_cursor_can_expire_on_request(server: Server, call: Caller) -> None:
    cursor = call("GET", "/w/instances?per_page=2").json["result_info"]["cursor"]
    server.faults.add("expired-cursor", times=1)

    assert len(ids(call)) == 2
    assert call("GET", f"/w/instances?cursor={cursor}").status == 400
    assert ids(call, f"&cursor={cursor}") == ["o-2", "o-1"]


def test_the_list_can_lag_behind_the_detail(server: Server, call: Caller) -> None:
    server.faults.add("lag", seconds=5, path=r"/instances\?")
    server.world.advance(10)
    call.act("w", "o-1", "pause")

    def listed() -> str:
        rows = call("GET", "/w/instances?per_page=100").result
        return next(row["status"] for row in rows if row["id"] == "o-1")

    assert (call.instance("w", "o-1")["status"], listed()) == ("paused", "waiting")
    server.world.advance(6)
    assert listed() == "paused"


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_leaves_the_server_answering(server: Server, call: Caller, kind: str) -> None:
    server.faults.add(kind, times=1, seconds=0.05)
    with contextlib.suppress(ConnectionError, IncompleteRead):
        call("GET", "/w/instances?per_page=2")

    assert call("GET", "/w/instances").status == 200


def test_the_log_of_requests_holds_everything_but_the_token(server: Server, call: Caller) -> None:
    call.act("w", "o-1", "pause")
    call.headers = {"Authorization": "Bearer wrong-token"}
    call("GET", "")

    entries = call("GET", "/_simulator/requests").json["requests"]

    assert [(e["method"], e["status"], e["authorised"]) for e in entries] == [
        ("PATCH", 200, True),
        ("GET", 401, False),
    ]
    assert entries[0]["path"].endswith("/w/instances/o-1/status")
    assert "token" not in str(entries)
    call("DELETE", "/_simulator/requests")
    assert server.requests == []


def test_time_can_be_moved_over_http(server: Server, call: Caller) -> None:
    moved = call("POST", "/_simulator/clock", {"advance": 90}).json

    assert moved == {"clock": "2026-11-20T12:01:30.000Z"}
    assert call("POST", "/_simulator/clock", {"advance": -1}).status == 400


def test_a_connection_is_kept_for_many_requests(server: Server, call: Caller) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/client/v4/user", headers=call.headers)
        connection.getresponse().read()
        sockets.add(connection.sock.getsockname())
    connection.close()

    assert len(sockets) == 1
