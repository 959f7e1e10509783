"""Each operation asks what the API reference says, at Cloudflare and at a local `wrangler dev`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import (
    Action,
    Client,
    Credentials,
    NewInstance,
    RestartFrom,
    RestartType,
    Status,
    Trigger,
)
from tests.cloudflare.conftest import ACCOUNT, TOKEN, Reply, Server, ok, refused

Connect = Callable[..., Client]
PREFIX = f"/client/v4/accounts/{ACCOUNT}/workflows"
LOCAL_PREFIX = "/cdn-cgi/local/explorer/api/workflows"
CREATED = {"id": "one", "status": "queued", "version_id": "v", "workflow_id": "w"}


def test_a_request_carries_the_token_and_names_us(client: Client, server: Server) -> None:
    server.answer(ok({"name": "orders"}))
    client.get_workflow("orders")
    assert server.last.headers["authorization"] == f"Bearer {TOKEN}"
    assert server.last.headers["user-agent"].startswith("workflows-dashboard/")
    assert server.last.headers["accept"] == "application/json"


def test_the_older_email_and_key_are_sent_too(connect: Connect, server: Server) -> None:
    server.answer(ok({"name": "orders"}))
    connect(credentials=Credentials(email="a@example.com", key="k3y\n")).get_workflow("orders")
    assert server.last.headers["x-auth-email"] == "a@example.com"
    assert server.last.headers["x-auth-key"] == "k3y"
    assert "authorization" not in server.last.headers


def test_a_local_engine_gets_no_token(local: Client, server: Server) -> None:
    server.answer(ok({"name": "orders"}))
    local.get_workflow("orders")
    assert server.last.path == f"{LOCAL_PREFIX}/orders"
    assert "authorization" not in server.last.headers


@pytest.mark.parametrize(
    ("instance_id", "path"),
    [
        ("*/30 * * * *-1786001400000", "%2A%2F30%20%2A%20%2A%20%2A%20%2A-1786001400000"),
        ("a/../../x", "a%2F..%2F..%2Fx"),
        ("%2e%2e", "%252e%252e"),
        ("a?b#c;d", "a%3Fb%23c%3Bd"),
        ("ü\r\nX: y", "%C3%BC%0D%0AX%3A%20y"),
        ("...", "..."),
    ],
)
def test_an_id_stays_one_part_of_the_path(
    client: Client, server: Server, instance_id: str, path: str
) -> None:
    server.answer(ok({"status": "running", "steps": []}))
    client.get_instance("orders", instance_id)
    assert server.last.path == f"{PREFIX}/orders/instances/{path}"


@pytest.mark.parametrize("name", ["", ".", "..", "\ud83d"])
def test_a_part_that_is_no_name_is_refused_before_anything_is_sent(
    client: Client, server: Server, name: str
) -> None:
    for ask in (
        lambda: client.get_workflow(name),
        lambda: client.get_instance("orders", name),
        lambda: client.send_instance_event("orders", "one", name),
        lambda: list(client.list_instances(name)),
    ):
        with pytest.raises(cloudflare.Invalid) as caught:
            ask()
        assert not caught.value.was_sent
    assert not server.seen


def test_without_an_account_nothing_is_asked_of_an_account(connect: Connect) -> None:
    with pytest.raises(cloudflare.Invalid):
        connect(account_id="").get_workflow("orders")


def test_workflows_versions_and_graphs_are_read(client: Client, server: Server) -> None:
    server.answer(ok([{"name": "orders", "instances": {"running": 2, "new": 1}}], total_pages=1))
    (workflow,) = client.list_workflows(search="ord")
    assert workflow.counts == {"running": 2, "new": 1}
    assert server.last.query == {"search": "ord", "per_page": "100", "page": "1"}

    server.answer(ok([{"id": "v2"}, {"id": "v1"}], per_page=100))
    assert [version.id for version in client.list_versions("orders")] == ["v2", "v1"]
    server.answer(ok({"id": "v2", "has_dag": True, "default_retention": {"error_retention": 5}}))
    version = client.get_version("orders", "v2")
    assert (version.has_dag, version.error_retention) == (True, 5)
    server.answer(ok({"id": "v2", "graph": {"version": 1}}))
    assert client.get_graph("orders", "v2").graph == {"version": 1}
    assert server.last.path == f"{PREFIX}/orders/versions/v2/graph"


def test_an_instance_is_read_with_the_servers_clock(client: Client, server: Server) -> None:
    server.clock_skew = 600
    server.answer(ok({"status": "running", "steps": [], "trigger": {"source": "cron"}}))
    detail = client.get_instance("orders", "one", simple=True)
    assert server.last.query == {"simple": "true"}
    assert detail.trigger is Trigger.CRON
    assert detail.read_on is not None
    ahead = (detail.read_on - datetime.now(UTC)).total_seconds()
    assert ahead == pytest.approx(600, abs=3)


def test_filters_are_sent_in_utc_without_an_offset(client: Client, server: Server) -> None:
    server.answer(ok([]))
    east = timezone(timedelta(hours=2))
    pages = client.list_instances(
        "orders",
        status=Status.WAITING_FOR_PAUSE,
        date_start=datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=east),
        date_end=datetime(2026, 11, 21, tzinfo=UTC),
    )
    assert list(pages) == []
    assert server.last.query == {
        "status": "waitingForPause",
        "date_start": "2026-11-19T23:02:03.456Z",
        "date_end": "2026-11-21T00:00:00.000Z",
        "per_page": "100",
        "direction": "desc",
    }


def test_an_instance_is_created_in_each_targets_spelling(
    client: Client, local: Client, connect: Connect, server: Server
) -> None:
    server.answer(ok(CREATED))
    new = NewInstance("one", {"a": 1}, success_retention="3 days", location_hint="weur")
    created = client.create_instance("orders", new)
    assert created.status is Status.QUEUED
    assert server.last.json == {
        "instance_id": "one",
        "params": {"a": 1},
        "instance_retention": {"success_retention": "3 days"},
        "location_hint": "weur",
    }
    assert server.last.headers["content-type"] == "application/json"

    server.answer(ok({"id": "one"}))
    assert local.create_instance("orders", NewInstance("one")).status is Status.UNKNOWN
    assert server.last.json == {"id": "one"}
    client.create_instance("orders", NewInstance())
    assert server.last.json == {}
    connect(params_as_text=True).create_instance("orders", NewInstance(params={"a": 1}))
    assert server.last.json == {"params": '{"a": 1}'}


def test_a_batch_is_created_and_the_skipped_are_missing(client: Client, server: Server) -> None:
    for result in ([CREATED], {"created": [CREATED], "errors": [{"code": 10405}]}):
        server.answer(ok(result))
        created = client.create_instances("orders", [NewInstance("one"), NewInstance("two")])
        assert [instance.id for instance in created] == ["one"]
    assert server.last.path == f"{PREFIX}/orders/instances/batch"
    assert server.last.json == [{"instance_id": "one"}, {"instance_id": "two"}]


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_of_a_wrong_size_is_not_sent(client: Client, server: Server, size: int) -> None:
    with pytest.raises(cloudflare.Invalid):
        client.create_instances("orders", [NewInstance()] * size)
    assert not server.seen


@pytest.mark.parametrize("params", [float("nan"), {1, 2}, object()])
def test_what_is_no_json_is_not_sent(connect: Connect, server: Server, params: Any) -> None:
    for as_text in (True, False):
        with pytest.raises(cloudflare.Invalid) as caught:
            connect(params_as_text=as_text).create_instance("orders", NewInstance(params=params))
        assert not caught.value.was_sent
    assert not server.seen


@pytest.mark.parametrize(
    ("action", "options", "body"),
    [
        (Action.PAUSE, {}, {"status": "pause"}),
        (Action.RESUME, {}, {"status": "resume"}),
        (Action.TERMINATE, {"rollback": True}, {"status": "terminate", "rollback": True}),
        (
            Action.RESTART,
            {"restart_from": RestartFrom("pay", 2, RestartType.DO)},
            {"status": "restart", "from": {"name": "pay", "count": 2, "type": "do"}},
        ),
        (
            Action.RESTART,
            {"restart_from": RestartFrom("pay")},
            {"status": "restart", "from": {"name": "pay"}},
        ),
    ],
)
def test_an_action_is_a_patch_of_the_status(
    client: Client, server: Server, action: Action, options: dict[str, Any], body: object
) -> None:
    server.answer(ok({"status": "paused", "timestamp": "2026-11-20T23:38:27.495Z"}))
    change = client.change_instance_status("orders", "one", action, **options)
    assert (server.last.method, server.last.json) == ("PATCH", body)
    assert server.last.path == f"{PREFIX}/orders/instances/one/status"
    assert change.status is Status.PAUSED
    assert change.timestamp == datetime(2026, 11, 20, 23, 38, 27, 495000, tzinfo=UTC)


@pytest.mark.parametrize("options", [{"rollback": True}, {"restart_from": RestartFrom("pay")}])
def test_an_action_with_anothers_options_is_not_sent(
    client: Client, server: Server, options: dict[str, Any]
) -> None:
    with pytest.raises(cloudflare.Invalid):
        client.change_instance_status("orders", "one", Action.PAUSE, **options)
    assert not server.seen


@pytest.mark.parametrize("payload", [None, {"paid": True}, [1], "text", 0, False, "\ud83d"])
def test_an_event_carries_any_json_value(client: Client, server: Server, payload: Any) -> None:
    server.answer(ok({"instanceId": "one"}))
    client.send_instance_event("orders", "one", "paid/now", payload)
    assert server.last.path == f"{PREFIX}/orders/instances/one/events/paid%2Fnow"
    assert server.last.json == payload


def test_an_event_may_be_answered_with_nothing(client: Client, server: Server) -> None:
    server.answer(Reply(status=204, body=b""))
    assert client.send_instance_event("orders", "one", "paid") == {}


def test_a_new_instance_without_a_result_is_unexpected(client: Client, server: Server) -> None:
    for reply in (ok(None), Reply(status=204, body=b"")):
        server.answer(reply)
        with pytest.raises(cloudflare.UnexpectedResponse, match="before you try again"):
            client.create_instance("orders", NewInstance())


def test_undocumented_routes_are_used_only_when_switched_on(
    client: Client, connect: Connect, server: Server
) -> None:
    for ask in (
        lambda: client.delete_instances("orders", ["one"]),
        lambda: client.terminate_instances("orders"),
    ):
        with pytest.raises(cloudflare.Unsupported) as caught:
            ask()
        assert not caught.value.was_sent
    assert not server.seen

    free = connect(allow_undocumented=True)
    failed = {"id": "two", "code": 10400, "message": "instance.not_found"}
    server.answer(ok({"deleted": [{"id": "one"}], "errors": [failed]}))
    deletion = free.delete_instances("orders", ["one", "two"])
    assert deletion.deleted == ("one",)
    assert deletion.errors == {"two": "instance.not_found (10400)"}
    assert server.last.json == {"instances": ["one", "two"]}

    server.answer(ok({"status": "ok"}))
    assert free.terminate_instances("orders", status=Status.PAUSED) == {"status": "ok"}
    assert (server.last.method, server.last.query) == ("PUT", {"status": "paused"})
    assert server.last.path == f"{PREFIX}/orders/instances/terminate"


def test_the_local_engine_documents_batch_delete(local: Client, server: Server) -> None:
    server.answer(ok({"deleted": [{"id": "one"}], "errors": []}))
    assert local.delete_instances("orders", ["one"]).deleted == ("one",)


@pytest.mark.parametrize(
    "ask",
    [
        lambda local: local.verify_token(),
        lambda local: list(local.list_accounts()),
        lambda local: list(local.list_versions("orders")),
        lambda local: local.get_version("orders", "v"),
        lambda local: local.get_graph("orders", "v"),
        lambda local: local.create_instances("orders", [NewInstance()]),
        lambda local: local.create_instance("orders", NewInstance(error_retention=5)),
        lambda local: local.terminate_instances("orders"),
        lambda local: local.put_workflow("orders", class_name="A", script_name="b"),
        lambda local: list(local.list_instances("orders", status=Status.ROLLING_BACK)),
    ],
)
def test_what_the_local_engine_lacks_is_said_and_not_sent(
    connect: Connect, server: Server, ask: Callable[[Client], object]
) -> None:
    with pytest.raises(cloudflare.Unsupported, match=r"wrangler dev has no .+\.") as caught:
        ask(connect(base_url=server.origin, allow_undocumented=True))
    assert not caught.value.was_sent
    assert not server.seen


def test_a_workflow_is_defined_and_deleted(client: Client, server: Server) -> None:
    server.answer(ok({"id": "w", "name": "orders"}))
    client.put_workflow("orders", class_name="A", script_name="b", limits={"steps": 5})
    assert server.last.json == {"class_name": "A", "script_name": "b", "limits": {"steps": 5}}
    server.answer(ok({"status": "ok"}))
    assert client.delete_workflow("orders") == {"status": "ok"}
    assert (server.last.method, server.last.path) == ("DELETE", f"{PREFIX}/orders")


def test_a_token_of_the_user_is_verified(client: Client, server: Server) -> None:
    server.answer(ok({"id": "t", "status": "active"}))
    assert client.verify_token()["status"] == "active"
    assert server.last.path == "/client/v4/user/tokens/verify"


def test_a_token_of_the_account_is_verified_second(client: Client, server: Server) -> None:
    server.answer(refused(401, 1000, "Invalid API Token"), ok({"status": "active"}))
    assert client.verify_token()["status"] == "active"
    assert server.last.path == f"/client/v4/accounts/{ACCOUNT}/tokens/verify"


def test_an_email_and_key_cannot_be_verified(connect: Connect, server: Server) -> None:
    with pytest.raises(cloudflare.Unsupported):
        connect(credentials=Credentials(email="a@b.c", key="k")).verify_token()
    assert not server.seen


def test_the_last_rate_limit_is_remembered(client: Client, server: Server) -> None:
    assert client.rate_limit is None
    reply = ok({"name": "orders"})
    reply.headers["Ratelimit"] = '"burst";r=90;t=5, "default";r=50;t=30'
    server.answer(reply, ok({"name": "orders"}))
    client.get_workflow("orders")
    assert client.rate_limit == cloudflare.RateLimit(remaining=50, reset_seconds=30.0)
    client.get_workflow("orders")
    assert client.rate_limit.remaining == 50


def test_a_proxy_is_used_on_the_way_to_cloudflare_and_never_to_this_machine(
    connect: Connect, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.origin)
    server.answer(ok({"name": "orders"}))
    connect().get_workflow("orders")
    assert server.last.path == f"{PREFIX}/orders"
    connect(base_url="http://cloudflare.invalid/client/v4").get_workflow("orders")
    assert server.last.headers["host"] == "cloudflare.invalid"
