"""Secrets stay out of every text; errors travel; the public names are complete."""

from __future__ import annotations

import copy
import logging
import pickle
import re
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import Client, CloudflareError, Credentials, Status, StepType, errors
from dashboard.cloudflare.transport import USER_AGENT
from tests.cloudflare.conftest import TOKEN, Reply, Server, html, ok, refused

Connect = Callable[..., Client]
ROOT = Path(__file__).parent.parent.parent


def test_no_text_shows_a_secret(client: Client, connect: Connect) -> None:
    credentials = Credentials(token=TOKEN, email="a@example.com", key="k3y")
    for thing in (credentials, client, client._transport, connect(credentials=credentials)):
        for text in (repr(thing), str(thing), f"{thing}"):
            assert TOKEN not in text
            assert "k3y" not in text
            assert "example" not in text


@pytest.mark.parametrize(
    "reply",
    [
        html(502),
        refused(403, 10000),
        Reply(reset=True),
        Reply(delay=0.3),
        Reply(ok([]).json, cut=9),
        Reply(body=b"{"),
        Reply(body=b"x", headers={"Content-Encoding": "gzip"}),
        refused(429, 0),
    ],
)
def test_no_log_record_or_traceback_shows_the_token_or_a_query(
    connect: Connect, server: Server, caplog: pytest.LogCaptureFixture, reply: Reply
) -> None:
    client = connect(timeout=0.15)
    caplog.set_level(logging.DEBUG)
    server.answer(reply)
    with pytest.raises(CloudflareError) as caught:
        list(client.list_workflows(search="s3arch"))
    logged = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    ours = [record for record in caplog.records if record.name == "dashboard.cloudflare"]
    assert ours
    # As a debug page or an error tracker shows it: with the local variables of every frame.
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert TOKEN not in "".join(shown.format())
    assert not any(TOKEN in text for text in logged)
    assert not any("s3arch" in record.getMessage() for record in ours)


def test_a_request_leaves_one_line_in_the_log(
    client: Client, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "dashboard.cloudflare")
    server.answer(ok({"name": "orders"}))
    client.get_workflow("or\nders")
    (record,) = (record for record in caplog.records if record.name == "dashboard.cloudflare")
    assert re.fullmatch(r"GET /accounts/\w+/workflows/or%0Aders 200 \d+ ms", record.getMessage())


ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, CloudflareError)
]


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_travels_between_processes(kind: type[CloudflareError]) -> None:
    error = kind("What failed.", code=7, http_status=500, ray="r", was_sent=False)
    for name, value in {"what": "step", "retry_after": 3.0, "excerpt": "x"}.items():
        if hasattr(error, name):
            setattr(error, name, value)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is kind
        assert str(other) == other.message == "What failed."
        assert vars(other) == vars(error)
    assert str(kind("Short.")) == "Short."
    assert kind("Short.").was_sent is (kind is not errors.BudgetSpent)


def test_unknown_values_travel_between_processes_too() -> None:
    for value in (Status("hibernating"), StepType("teleport")):
        assert pickle.loads(pickle.dumps(value)) == value
        assert hash(value) == hash(str(value))


def test_threads_share_a_client(client: Client, server: Server) -> None:
    server.answer(ok({"name": "orders"}))
    names: list[str] = []
    threads = [
        threading.Thread(target=lambda: names.append(client.get_workflow("orders").name))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == ["orders"] * 8


def test_a_client_closes_with_its_context(server: Server) -> None:
    server.answer(ok({"name": "orders"}))
    with Client("a", Credentials(TOKEN), base_url=server.url) as client:
        assert client.get_workflow("orders").name == "orders"


def test_the_public_names_are_complete_and_sorted() -> None:
    modules = {"errors", "types", "targets"}
    public = {
        name
        for module in modules
        for name, value in vars(getattr(cloudflare, module)).items()
        if getattr(value, "__module__", "") == f"dashboard.cloudflare.{module}"
        and not name.startswith("_")
    }
    public -= {"OpenEnum"}
    assert public <= set(cloudflare.__all__)
    assert cloudflare.__all__ == sorted(
        cloudflare.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )
    assert all(hasattr(cloudflare, name) for name in cloudflare.__all__)


def test_the_user_agent_names_the_projects_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert f"workflows-dashboard/{version[1]}" == USER_AGENT
