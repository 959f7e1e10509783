"""What Cloudflare's own local engine was recorded to answer, replayed through the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import Action, Client, CloudflareError, NewInstance, Status
from tests.cloudflare.conftest import Reply, Server

PATH = Path(__file__).parent.parent / "samples" / "exchanges.jsonl"
EXCHANGES = [json.loads(line) for line in PATH.read_text().splitlines()]

#: What each recorded refusal means. Every exchange that is not named here has a typed result.
FAILURES: dict[str, type[CloudflareError]] = {
    "terminate a terminated instance": cloudflare.Conflict,
    "unknown workflow": cloudflare.NotFound,
    "a date without a time": cloudflare.Invalid,
    "dates the wrong way round": cloudflare.Invalid,
    "per_page too big": cloudflare.Invalid,
    "page too small": cloudflare.Invalid,
    "page not a number": cloudflare.Invalid,
    "a status the local API does not know": cloudflare.Invalid,
    "unknown instance": cloudflare.NotFound,
    "step output: no such route": cloudflare.UnexpectedResponse,
    "create with an id in use": cloudflare.Conflict,
    "create with an invalid id": cloudflare.Invalid,
    "batch create: no such route": cloudflare.UnexpectedResponse,
    "unknown action": cloudflare.Invalid,
    "status of an unknown instance": cloudflare.NotFound,
    "rollback with another action": cloudflare.Invalid,
    "restart from an unknown step": cloudflare.Conflict,
    "event to an unknown instance": cloudflare.NotFound,
    "delete an unknown instance": cloudflare.NotFound,
    "with the account prefix: no such route": cloudflare.UnexpectedResponse,
    "a Host that is not local": cloudflare.Invalid,
    "an Origin that is not local": cloudflare.Invalid,
    "token check: no such route": cloudflare.UnexpectedResponse,
}


def operation(method: str, path: str) -> Callable[[Client], Any]:
    """The client's method for a recorded request; what it sends does not matter here."""
    parts = path.partition("?")[0].strip("/").split("/")[1:]
    if method == "PATCH":
        return lambda client: client.change_instance_status("w", "i", Action.PAUSE)
    if "events" in parts:
        return lambda client: client.send_instance_event("w", "i", "e")
    if method == "DELETE" or parts[-1:] == ["delete"]:
        return lambda client: client.delete_instances("w", ["i"])
    if method == "POST":
        return lambda client: client.create_instance("w", NewInstance())
    if parts[-1:] == ["instances"] or "accounts" in path:
        return lambda client: list(client.list_instances("w"))
    if len(parts) > 1:
        return lambda client: client.get_instance("w", "i")
    if parts and "tokens" not in path:
        return lambda client: client.get_workflow("w")
    return lambda client: list(client.list_workflows())


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange["note"])
def test_a_recorded_answer_gives_a_typed_result_or_its_error(
    local: Client, server: Server, exchange: dict[str, Any]
) -> None:
    recorded = exchange["response"]
    body = recorded["body"]
    server.answer(
        Reply(
            status=recorded["status"],
            headers={"Content-Type": recorded["content_type"]},
            body=body.encode() if isinstance(body, str) else json.dumps(body).encode(),
        )
    )
    ask = operation(exchange["request"]["method"], exchange["request"]["path"])
    expected = FAILURES.get(exchange["note"])
    if expected is None:
        _is_faithful(ask(local), body["result"])
        return
    with pytest.raises(CloudflareError) as caught:
        ask(local)
    assert type(caught.value) is expected
    assert caught.value.http_status == recorded["status"]
    if isinstance(body, dict):
        assert caught.value.code == body["errors"][0]["code"]


def _is_faithful(found: Any, result: Any) -> None:
    if isinstance(found, list):
        found = [
            row
            for entry in found
            for row in (entry.instances if isinstance(entry, cloudflare.InstancePage) else [entry])
        ]
        result = [row for row in result if "status" in row or "name" in row]
        assert [row.raw for row in found] == result
    elif isinstance(found, cloudflare.Deletion):
        assert list(found.deleted) == [row["id"] for row in result.get("deleted", [])]
    elif isinstance(found, dict):
        assert found == result
    else:
        assert found.raw == result
    if isinstance(found, cloudflare.StatusChange):
        assert found.status in set(Status) - {Status.UNKNOWN}


def test_every_refusal_named_here_was_recorded() -> None:
    assert FAILURES.keys() <= {exchange["note"] for exchange in EXCHANGES}
