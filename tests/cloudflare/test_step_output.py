"""A step's whole output: a value, a stream of bytes in bounded memory, or from the log."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import Client, Status, StepOutput, StepType
from tests.cloudflare.conftest import ACCOUNT, Reply, Server, html, ok, refused

BINARY = {"Content-Type": "application/octet-stream"}


def get(
    client: Client, name: str = "pay-1", type_: StepType = StepType.STEP, attempt: int | None = None
) -> StepOutput:
    with client.get_step("orders", "one", name=name, type=type_, attempt=attempt) as output:
        return output


def test_a_value_is_read_as_it_is_sent(client: Client, server: Server) -> None:
    server.answer(ok({"status": "complete", "error": None, "output": {"a": [1]}}))
    output = get(client, "pay / charge-1", attempt=2)
    assert (output.status, output.output, output.is_binary) == (
        Status.COMPLETE,
        {"a": [1]},
        False,
    )
    assert server.last.path.endswith(f"{ACCOUNT}/workflows/orders/instances/one/step")
    assert server.last.query == {"name": "pay / charge-1", "type": "step", "attempt": "2"}


def test_a_step_that_retries_is_running_and_has_an_error(client: Client, server: Server) -> None:
    error = {"name": "Error", "message": "no"}
    server.answer(ok({"status": "running", "error": error, "output": None}))
    output = get(client)
    assert output.status is Status.RUNNING
    assert output.error == cloudflare.ErrorDetail("Error", "no")


def test_an_events_type_is_kept(client: Client, server: Server) -> None:
    server.answer(ok({"status": "complete", "output": 1, "event_type": "paid"}))
    assert get(client, type_=StepType.WAIT_FOR_EVENT).event_type == "paid"
    assert server.last.query["type"] == "waitForEvent"


def test_raw_bytes_are_streamed(client: Client, server: Server) -> None:
    server.answer(Reply(body=b"\x00\xff" * 5, headers=BINARY))
    with client.get_step("orders", "one", name="pay-1", type=StepType.STEP) as output:
        assert (output.is_binary, output.size) == (True, 10)
        assert output.content_type == "application/octet-stream"
        assert b"".join(output.iter_bytes()) == b"\x00\xff" * 5


def test_a_long_stream_is_never_held_whole(client: Client, server: Server) -> None:
    def mebibytes() -> Iterator[bytes]:
        chunk = bytes(1 << 20)
        return (chunk for _ in range(64))

    server.answer(Reply(chunks=mebibytes, headers=BINARY))
    tracemalloc.start()
    try:
        with client.get_step("orders", "one", name="pay-1", type=StepType.STEP) as output:
            assert output.size is None
            total = sum(len(chunk) for chunk in output.iter_bytes())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 64 << 20
    assert peak < 8 << 20


def test_a_stream_left_in_the_middle_does_not_spoil_the_next_request(
    client: Client, server: Server
) -> None:
    server.answer(Reply(body=bytes(1 << 20), headers=BINARY), ok({"name": "orders"}))
    with client.get_step("orders", "one", name="pay-1", type=StepType.STEP) as output:
        next(output.iter_bytes())
    assert client.get_workflow("orders").name == "orders"


def test_a_stream_that_breaks_off_says_so(client: Client, server: Server) -> None:
    server.answer(Reply(body=b"x" * 10, cut=90, headers=BINARY))
    with (
        client.get_step("orders", "one", name="pay-1", type=StepType.STEP) as output,
        pytest.raises(cloudflare.Unreachable),
    ):
        list(output.iter_bytes())


def test_opening_a_stream_is_tried_again_and_told_like_any_read(
    client: Client, server: Server
) -> None:
    server.answer(html(502), Reply(body=b"x", headers=BINARY))
    assert get(client).is_binary
    server.answer(refused(404, 10400))
    with pytest.raises(cloudflare.NotFound):
        get(client)
    server.answer(ok(None))
    with pytest.raises(cloudflare.UnexpectedResponse):
        get(client)


def test_an_error_inside_the_context_is_the_callers_own(client: Client, server: Server) -> None:
    server.answer(Reply(body=b"x", headers=BINARY))
    with pytest.raises(KeyError), client.get_step("o", "i", name="n", type=StepType.STEP):
        raise KeyError


@pytest.mark.parametrize(
    ("type_", "attempt"),
    [(StepType.SLEEP, None), (StepType.ROLLBACK, None), (StepType.STEP, 0), (StepType.STEP, -1)],
)
def test_what_has_no_output_is_not_asked_for(
    client: Client, server: Server, type_: StepType, attempt: int | None
) -> None:
    with pytest.raises(cloudflare.Invalid):
        get(client, type_=type_, attempt=attempt)
    assert not server.seen


ATTEMPTS = [
    {"success": False, "error": {"name": "E", "message": "first"}},
    {"success": False, "error": {"name": "E", "message": "second"}},
]
LOG = {
    "status": "running",
    "steps": [
        {"type": "step", "name": "pay-1", "success": True, "output": {"a": 1}, "attempts": []},
        {"type": "waitForEvent", "name": "pay-1", "finished": False, "output": None},
        {"type": "step", "name": "ship-1", "success": None, "attempts": ATTEMPTS},
        {"type": "step", "name": "stop-1", "success": False, "attempts": ATTEMPTS},
    ],
}


def test_where_there_is_no_route_the_log_is_read_instead(local: Client, server: Server) -> None:
    server.answer(ok(LOG))
    assert get(local).output == {"a": 1}
    assert get(local).status is Status.COMPLETE
    assert get(local, type_=StepType.WAIT_FOR_EVENT).status is Status.WAITING
    assert server.last.path == "/cdn-cgi/local/explorer/api/workflows/orders/instances/one"


def test_attempts_are_found_in_the_log(local: Client, server: Server) -> None:
    server.answer(ok(LOG))
    running, failed = get(local, "ship-1"), get(local, "stop-1", attempt=1)
    assert running.status is Status.RUNNING
    assert running.error == cloudflare.ErrorDetail("E", "second")
    assert failed.status is Status.ERRORED
    assert failed.error == cloudflare.ErrorDetail("E", "first")


@pytest.mark.parametrize(("name", "attempt"), [("nope-1", None), ("stop-1", 3)])
def test_a_step_that_is_not_in_the_log_is_not_found(
    local: Client, server: Server, name: str, attempt: int | None
) -> None:
    server.answer(ok(LOG))
    with pytest.raises(cloudflare.NotFound) as caught:
        get(local, name, attempt=attempt)
    assert caught.value.what == "step"
