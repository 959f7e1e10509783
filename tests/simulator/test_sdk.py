"""Cloudflare's own Python library takes the simulator for Cloudflare."""

from __future__ import annotations

from itertools import islice

import cloudflare
import pytest
from cloudflare import Cloudflare

from dashboard.simulator import Server


def test_it_lists_instances_with_their_states(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "complete", instance_id="a", age=600)
    server.world.add_instance("orders", "rollingBack", instance_id="b")

    found = list(sdk.workflows.instances.list("orders", account_id=server.account_id))

    assert [(row.id, row.status) for row in found] == [("b", "rollingBack"), ("a", "complete")]
    assert found[1].ended_on is not None
    assert found[0].ended_on is None
    assert found[0].trigger_source == "api"


def test_it_pages_through_all_of_them(sdk: Cloudflare, server: Server) -> None:
    for number in range(45):
        server.world.add_instance("orders", "complete", instance_id=f"o-{number}", age=100 + number)

    found = [
        row.id
        for row in sdk.workflows.instances.list("orders", account_id=server.account_id, per_page=10)
    ]

    assert found == [f"o-{number}" for number in range(45)]


def test_it_gets_the_log_of_an_instance(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "between-retries", instance_id="a", params={"n": 1})

    found = sdk.workflows.instances.get("a", account_id=server.account_id, workflow_name="orders")

    assert found.status == "waiting"
    assert found.params == {"n": 1}
    assert found.step_count == 2
    assert [step.name for step in found.steps if step.type == "step"] == [
        "first step-1",
        "flaky step-1",
    ]


def test_it_creates_one_and_many(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "complete", instance_id="taken")
    account_id = server.account_id

    one = sdk.workflows.instances.create(
        "orders", account_id=account_id, instance_id="one", params="{}"
    )
    many = sdk.workflows.instances.bulk(
        "orders", account_id=account_id, body=[{"instance_id": "taken"}, {"instance_id": "two"}]
    )

    assert (one.id, one.status) == ("one", "queued")
    assert [created.id for created in many] == ["two"]


def test_it_changes_the_status(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "waiting", instance_id="a")
    status = sdk.workflows.instances.status
    where = {"account_id": server.account_id, "workflow_name": "orders"}

    assert status.edit("a", status="pause", **where).status == "paused"
    assert status.edit("a", status="resume", **where).status == "waiting"
    assert status.edit("a", status="terminate", **where).status == "terminated"
    assert status.edit("a", status="restart", **where).status == "queued"


def test_it_sends_an_event(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "waiting-for-event", instance_id="a")

    sent = sdk.workflows.instances.events.create(
        "approval",
        account_id=server.account_id,
        workflow_name="orders",
        instance_id="a",
        body={"ok": True},
    )

    assert sent.instance_id == "a"


def test_it_gets_the_full_output_of_a_step(sdk: Cloudflare, server: Server) -> None:
    server.world.add_instance("orders", "complete", instance_id="a")

    found = sdk.workflows.instances.step(
        "a", account_id=server.account_id, workflow_name="orders", name="last step-1", type="step"
    )

    assert found.status == "complete"
    assert found.output == {"done": True}


def test_it_reads_workflows_versions_and_graphs(incident: Server) -> None:
    account_id = incident.account_id
    with Cloudflare(api_token=incident.token, base_url=incident.url, max_retries=0) as sdk:
        workflows = {w.name: w for w in sdk.workflows.list(account_id=account_id)}
        versions = list(sdk.workflows.versions.list("order-pipeline", account_id=account_id))
        graph = sdk.workflows.versions.graph(
            versions[0].id, account_id=account_id, workflow_name="order-pipeline"
        ).graph

    assert workflows["newsletter"].script_deleted
    assert workflows["nightly-report"].schedules
    assert len(versions) == 3
    assert versions[0].created_on > versions[1].created_on
    assert graph is not None
    assert {node.type for node in graph.workflow.nodes} >= {"step_do", "step_sleep", "parallel"}


def test_it_makes_and_deletes_a_workflow(sdk: Cloudflare, server: Server) -> None:
    account_id = server.account_id

    made = sdk.workflows.update(
        "mine", account_id=account_id, class_name="Mine", script_name="my-script"
    )
    sdk.workflows.instances.create("mine", account_id=account_id, instance_id="one")
    assert sdk.workflows.get("mine", account_id=account_id).instances["queued"] == 1
    assert made.version_id
    assert sdk.workflows.delete("mine", account_id=account_id).status == "ok"
    with pytest.raises(cloudflare.NotFoundError):
        sdk.workflows.get("mine", account_id=account_id)


def test_it_verifies_the_token_and_finds_the_account(sdk: Cloudflare, server: Server) -> None:
    verified = sdk.user.tokens.verify()

    assert verified is not None
    assert verified.status == "active"
    assert [account.id for account in islice(sdk.accounts.list(), 1)] == [server.account_id]


def test_it_is_told_about_missing_permissions_and_the_rate_limit(server: Server) -> None:
    server.world.add_instance("orders", "waiting", instance_id="a")
    server.service.api.limit.quota = 1
    where = {"account_id": server.account_id, "workflow_name": "orders"}
    with Cloudflare(api_token=server.read_only_token, base_url=server.url, max_retries=0) as sdk:
        with pytest.raises(cloudflare.PermissionDeniedError):
            sdk.workflows.instances.status.edit("a", status="pause", **where)
        with pytest.raises(cloudflare.RateLimitError) as refused:
            sdk.workflows.instances.get("a", **where)

    assert refused.value.response.headers["retry-after"] == "300"
