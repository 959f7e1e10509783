"""The dashboard on Cloudflare's own local engine: the same instances, and actions that it obeys."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard import connection, operations, sync
from dashboard.cloudflare import Client, InstanceDetail, NewInstance, StepType
from dashboard.insight.restart import preflight
from dashboard.models import Account, Instance, Operation, Snapshot, User
from dashboard.models.operation import Stage, State
from tests.servers.engine import LocalEngine

pytestmark = [pytest.mark.engine, pytest.mark.browser]

WORKFLOWS = ("approval", "flaky-import", "nightly-report", "order-pipeline", "refund-saga")


class Watched:
    """The engine, the dashboard's copy of it, and a browser that is signed in."""

    def __init__(self, client: Client, server: LiveServer, page: Page) -> None:
        self.client, self.server, self.page = client, server, page

    def sync(self) -> Account:
        [account] = sync.ensure_accounts([(connection.LOCAL_ACCOUNT_ID, "wrangler dev")])
        sync.sync_account(self.client, account, clock=timezone.now)
        return account

    def create(self, workflow: str, **params: object) -> str:
        """A new instance of the engine's, in the dashboard's list."""
        created = self.client.create_instance(workflow, NewInstance(params=params))
        return created.id

    def until(
        self, workflow: str, instance_id: str, holds: Callable[[InstanceDetail], object]
    ) -> InstanceDetail:
        """Waits until the engine itself agrees."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            detail = self.client.get_instance(workflow, instance_id)
            if holds(detail):
                return detail
            time.sleep(0.1)
        pytest.fail(f"{workflow} {instance_id} is still {detail.status}: {detail.steps[-1:]}")

    def open(self, workflow: str, instance_id: str) -> None:
        address = f"/accounts/local/workflows/{workflow}/instances/{instance_id}"
        answer = self.page.goto(self.server.url + address)
        assert answer is not None
        assert answer.status == 200

    def press(self, name: str) -> None:
        self.page.get_by_role("group", name="Actions").get_by_role(
            "button", name=name
        ).first.click()

    def confirm(self, name: str, **fields: str) -> None:
        """Fills the dialog and presses its button."""
        dialog = self.page.get_by_role("dialog")
        for label, text in fields.items():
            dialog.get_by_label(label.replace("_", " ").capitalize()).fill(text)
        dialog.get_by_role("button", name=name, exact=True).click()

    def sees(self, text: str) -> None:
        operations = self.page.get_by_role("region", name="Operations")
        operations.get_by_text(text).first.wait_for(timeout=20_000)


@pytest.fixture
def watched(
    transactional_db: None,
    local_engine: LocalEngine,
    live_server: LiveServer,
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Watched]:
    for name in [name for name in os.environ if name.startswith("CLOUDFLARE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", local_engine.url)
    User.objects.create_user("olga", password="correct horse", role="operator")
    page.goto(f"{live_server.url}/sign-in/")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    yield Watched(connection.connect(connection.LOCAL_ACCOUNT_ID), live_server, page)
    page.close()
    connection.disconnect()


def test_the_copy_holds_what_the_engine_lists_and_every_workflow_opens(
    watched: Watched, local_engine: LocalEngine
) -> None:
    local_engine.seed(50)
    time.sleep(1)
    for _ in range(60):
        account = watched.sync()
        copied = dict(Instance.objects.values_list("instance_id", "status"))
        listed = {
            row.id: row.status.value
            for workflow in WORKFLOWS
            for page in watched.client.list_instances(workflow)
            for row in page.instances
        }
        if copied == listed:
            break
        time.sleep(0.5)

    assert account.sync_error == ""
    assert len(listed) >= 50
    assert copied == listed
    for workflow in WORKFLOWS:
        newest = Instance.objects.filter(workflow__name=workflow).newest_first().first()
        assert newest is not None
        known = watched.client.get_instance(workflow, newest.instance_id).steps
        watched.open(workflow, newest.instance_id)
        for step in known:
            assert watched.page.get_by_text(step.name).count() > 0


def test_a_sleeping_instance_is_paused_and_resumed(watched: Watched) -> None:
    watched.sync()
    id_ = watched.create("order-pipeline", sleep="2 hours")
    watched.until("order-pipeline", id_, lambda d: d.steps and d.steps[-1].type is StepType.SLEEP)

    watched.open("order-pipeline", id_)
    watched.press("Pause")
    watched.sees("Paused.")
    assert watched.client.get_instance("order-pipeline", id_).status == "paused"

    watched.press("Resume")
    watched.sees("Resumed; it is running now.")
    assert watched.client.get_instance("order-pipeline", id_).status == "running"


def test_the_event_that_an_instance_waits_for_is_sent_and_delivered(watched: Watched) -> None:
    watched.sync()
    id_ = watched.create("approval", request="door 7")
    watched.until("approval", id_, lambda d: d.steps[-1:] and d.steps[-1].is_unfinished)

    watched.open("approval", id_)
    watched.press("Send event")
    watched.confirm("Send event", event_type="approval", payload='{"approved": true}')
    watched.sees("Delivered: “wait for decision-1” no longer waits.")

    detail = watched.until("approval", id_, lambda d: d.status == "complete")
    assert detail.output == 'decided: {"approved":true}'


def test_an_errored_instance_is_restarted(watched: Watched) -> None:
    watched.sync()
    id_ = watched.create("flaky-import", mode="nonretryable")
    before = watched.until("flaky-import", id_, lambda d: d.status == "errored")

    watched.open("flaky-import", id_)
    watched.press("Restart")
    watched.confirm("Restart", reason="the upstream is back")
    watched.sees("Restarted; it is")

    after = watched.client.get_instance("flaky-import", id_)
    assert after.queued is not None
    assert before.queued is not None
    assert after.queued > before.queued


def test_a_restart_keeps_generation_1_complete_and_the_comparison_shows_what_changed(
    watched: Watched,
) -> None:
    watched.sync()
    id_ = watched.create("approval", request="door 7", timeout="8 seconds")
    before = watched.until("approval", id_, lambda d: d.status == "errored")

    watched.open("approval", id_)
    watched.press("Restart")
    watched.confirm("Restart", reason="they were asleep")
    watched.sees("Restarted; it is")
    watched.client.send_instance_event("approval", id_, "approval", {"approved": True})
    after = watched.until("approval", id_, lambda d: d.status == "complete")

    row = Instance.objects.with_workflow().get(instance_id=id_)
    sync.read_instance(watched.client, row.workflow, id_, now=timezone.now())
    kept = Snapshot.objects.get(instance_id=id_)
    assert kept.generation == 1
    assert kept.kept.answer == before.raw
    watched.open("approval", id_)
    watched.page.get_by_role("link", name="Generation 1 errored").click()
    for step in before.steps:
        expect(watched.page.get_by_role("rowheader", name=step.name, exact=True)).to_be_visible()
    watched.page.get_by_text("Compare with…").click()
    watched.page.get_by_role("link", name="What is live").click()
    wait = watched.page.get_by_role("region", name="wait for decision-1")
    expect(wait.get_by_text("Timed out")).to_be_visible()
    expect(wait.get_by_text("Done")).to_be_visible()
    decided = watched.page.get_by_role("region", name="record decision-1")
    expect(decided.get_by_text("Only on the right.")).to_be_visible()
    assert len(after.steps) > len(before.steps)


@pytest.mark.parametrize("name", ["book carrier leg-2", "check fraud-1", "cooling off-1"])
def test_a_restart_from_a_step_keeps_what_its_form_said_and_nothing_else(
    watched: Watched, name: str
) -> None:
    watched.sync()
    id_ = watched.create("order-pipeline", sleep=100)
    before = watched.until("order-pipeline", id_, lambda d: d.status == "complete")
    [start] = [step for step in before.steps if step.name == name]
    kept = preflight(before, start).kept

    watched.open("order-pipeline", id_)
    watched.press("Restart")
    watched.page.get_by_label("Restart from").select_option(name)
    watched.page.get_by_role("heading", name=f"Kept: {len(kept)}").wait_for()
    watched.confirm("Restart", reason="once more")
    watched.sees("Restarted; it is")

    last = before.steps[-1]
    after = watched.until(
        "order-pipeline",
        id_,
        lambda d: d.status == "complete" and d.steps[-1].start != last.start,
    )
    same = {(step.name, step.start) for step in before.steps} & {
        (step.name, step.start) for step in after.steps
    }
    assert same == {(step.name, step.start) for step in kept}


def test_a_running_instance_is_terminated(watched: Watched) -> None:
    watched.sync()
    id_ = watched.create("order-pipeline", sleep=10, slowMs=60_000)
    watched.until("order-pipeline", id_, lambda d: d.steps[-1:] and "pack" in d.steps[-1].name)

    watched.open("order-pipeline", id_)
    watched.press("Terminate")
    watched.confirm("Terminate", reason="wrong order")
    watched.sees("Terminated.")

    assert watched.client.get_instance("order-pipeline", id_).status == "terminated"


def test_a_batch_is_created_and_the_page_of_its_workflow_counts_and_draws_it(
    watched: Watched,
) -> None:
    watched.sync()
    query = "kind=create&is_batch=1&account_id=local&workflow_name=flaky-import"
    watched.page.goto(f"{watched.server.url}/operations/new/?{query}")
    rows = ['{"params": {"mode": "nonretryable"}}'] * 2
    rows.append('{"instance_id": "given-1", "params": {"mode": "recover"}}')
    watched.page.get_by_label("Or pasted here").fill("\n".join(rows))
    watched.page.get_by_label("Reason").fill("a trial")
    watched.page.get_by_role("button", name="Read them").click()
    expect(watched.page.get_by_text("2 made up here")).to_be_visible()
    watched.page.get_by_role("button", name="Create 3 instances").click()

    operation = Operation.objects.get()
    deadline = time.monotonic() + 60
    while operation.stage != Stage.FINISHED and time.monotonic() < deadline:
        operations.run(operation.pk, connection.connect, clock=timezone.now)
        operation.refresh_from_db()
        time.sleep(0.1)

    ids = set(operation.items.values_list("instance_id", flat=True))
    assert {item.state for item in operation.items.all()} == {State.DONE}
    assert "given-1" in ids
    pages = watched.client.list_instances("flaky-import")
    there = {row.id for page in pages for row in page.instances}
    assert ids <= there
    for id_ in ids - {"given-1"}:
        watched.until("flaky-import", id_, lambda d: d.status == "errored")
    watched.sync()
    answer = watched.page.goto(f"{watched.server.url}/accounts/local/workflows/flaky-import/")
    assert answer is not None
    assert answer.status == 200
    assert watched.page.locator(".charts figure").count() > 0
    expect(watched.page.get_by_text("errored").first).to_be_visible()
