"""The real `wrangler` in remote mode takes the simulator for Cloudflare."""

from __future__ import annotations

import json

import pytest

from dashboard.simulator import Server

from .conftest import Caller, Wrangler

pytestmark = pytest.mark.engine


def test_it_lists_and_describes_workflows_and_instances(server: Server, wrangler: Wrangler) -> None:
    server.world.add_instance("orders", "complete", instance_id="order-1", age=600)
    server.world.add_instance("orders", "between-retries", instance_id="order-2")

    assert "orders-script" in wrangler("list")
    assert server.world.workflows["orders"].id in wrangler("describe", "orders")
    listed = wrangler("instances", "list", "orders")
    assert "order-1" in listed
    assert "order-2" in listed
    assert "Invalid Date" not in listed
    described = wrangler("instances", "describe", "orders", "order-2")
    assert "flaky step-1" in described
    assert "Retries At" in described
    assert "upstream returned 503" in described


def test_it_describes_the_latest_instance(server: Server, wrangler: Wrangler) -> None:
    server.world.add_instance("orders", "complete", instance_id="order-1", age=600)
    server.world.add_instance("orders", "rollingBack", instance_id="order-2", age=5)

    assert "order-2" in wrangler("instances", "describe", "orders", "latest")


def test_it_filters_by_status_as_json(server: Server, wrangler: Wrangler) -> None:
    server.world.add_instance("orders", "paused", instance_id="order-1")
    server.world.add_instance("orders", "errored", instance_id="order-2")

    listed = json.loads(wrangler("instances", "list", "orders", "--status", "paused", "--json"))

    assert [(row["id"], row["status"]) for row in listed] == [("order-1", "paused")]


def test_it_triggers_an_instance_with_params(
    server: Server, wrangler: Wrangler, call: Caller
) -> None:
    server.world.add_instance("orders", "complete")

    assert "fresh" in wrangler("trigger", "orders", '{"hello": "you"}', "--id", "fresh")

    assert call.instance("orders", "fresh")["params"] == {"hello": "you"}


def test_it_pauses_resumes_and_terminates(server: Server, wrangler: Wrangler, call: Caller) -> None:
    server.world.add_instance("orders", "waiting", instance_id="order-1")

    wrangler("instances", "pause", "orders", "order-1")
    assert call.instance("orders", "order-1")["status"] == "paused"
    wrangler("instances", "resume", "orders", "order-1")
    assert call.instance("orders", "order-1")["status"] == "waiting"
    wrangler("instances", "terminate", "orders", "order-1")
    assert call.instance("orders", "order-1")["status"] == "terminated"


def test_it_restarts_from_a_step(server: Server, wrangler: Wrangler, call: Caller) -> None:
    server.world.add_instance("plain", "complete", instance_id="p-1")

    wrangler("instances", "restart", "plain", "p-1", "--from-step-name", "last step")

    detail = call.instance("plain", "p-1")
    assert detail["status"] == "queued"
    assert [step["name"] for step in detail["steps"]] == ["first step-1"]


def test_it_sends_an_event(server: Server, wrangler: Wrangler, call: Caller) -> None:
    server.world.add_instance("orders", "waiting-for-event", instance_id="order-1")

    wrangler(
        "instances",
        "send-event",
        "orders",
        "order-1",
        "--type",
        "approval",
        "--payload",
        '{"ok":1}',
    )

    assert '"payload":{"ok":1}' in call.instance("orders", "order-1")["steps"][1]["output"]


def test_it_deletes_instances_and_workflows(
    server: Server, wrangler: Wrangler, call: Caller
) -> None:
    server.world.add_instance("orders", "waiting", instance_id="order-1")

    wrangler("instances", "delete", "orders", "order-1")
    assert call("GET", "/orders/instances/order-1").code == 10400
    wrangler("delete", "orders")
    assert call("GET", "/orders").code == 10200
