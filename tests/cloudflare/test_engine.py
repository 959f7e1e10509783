"""The client against Cloudflare's own local engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from dashboard import cloudflare
from dashboard.cloudflare import (
    Action,
    Client,
    Credentials,
    InstanceDetail,
    NewInstance,
    RestartFrom,
    RestartType,
    Status,
    StepType,
)
from tests.servers.engine import LocalEngine

WORKFLOW = "order-pipeline"

pytestmark = pytest.mark.engine


@pytest.fixture
def engine(local_engine: LocalEngine) -> Iterator[Client]:
    with Client("", Credentials(), base_url=local_engine.url) as client:
        yield client


@pytest.fixture
def instance_id(engine: Client) -> Iterator[str]:
    """An instance that is asleep for two hours."""
    new = NewInstance(f"client-{uuid.uuid4()}", {"orderId": "A-1", "sleep": "2 hours"})
    created = engine.create_instance(WORKFLOW, new)
    assert created.id == new.id
    until(engine, new.id, lambda detail: detail.steps[-1:] and detail.steps[-1].type == "sleep")
    yield new.id
    with suppress(cloudflare.NotFound):
        engine.delete_instances(WORKFLOW, [new.id])


def until(
    engine: Client, instance_id: str, holds: Callable[[InstanceDetail], object]
) -> InstanceDetail:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        detail = engine.get_instance(WORKFLOW, instance_id)
        if holds(detail):
            return detail
        time.sleep(0.1)
    pytest.fail(f"still {detail}")


def test_an_instance_is_listed_read_and_acted_on(engine: Client, instance_id: str) -> None:
    assert WORKFLOW in [workflow.name for workflow in engine.list_workflows()]
    rows = [row for page in engine.list_instances(WORKFLOW) for row in page.instances]
    assert instance_id in [row.id for row in rows]
    with engine.get_step(
        WORKFLOW, instance_id, name="validate order-1", type=StepType.STEP
    ) as output:
        assert output.output["orderId"] == "A-1"

    def act(action: Action, restart_from: RestartFrom | None = None) -> Status:
        return engine.change_instance_status(
            WORKFLOW, instance_id, action, restart_from=restart_from
        ).status

    assert act(Action.PAUSE) is Status.PAUSED
    assert act(Action.RESUME) is Status.RUNNING
    assert act(Action.TERMINATE) is Status.TERMINATED
    with pytest.raises(cloudflare.Conflict):
        act(Action.TERMINATE)
    assert act(Action.PAUSE) is Status.TERMINATED
    assert act(Action.RESTART) is Status.RUNNING
    with pytest.raises(cloudflare.Conflict):
        act(Action.RESTART, RestartFrom("no such step", 1, RestartType.DO))
    assert engine.send_instance_event(WORKFLOW, instance_id, "odd/type ü", {"a": 1})


def test_an_id_in_use_and_an_invalid_one_are_refused(engine: Client, instance_id: str) -> None:
    with pytest.raises(cloudflare.Conflict):
        engine.create_instance(WORKFLOW, NewInstance(instance_id))
    with pytest.raises(cloudflare.Invalid):
        engine.create_instance(WORKFLOW, NewInstance("bad id!"))


def test_what_is_missing_is_not_found_and_leaves_no_row(engine: Client, instance_id: str) -> None:
    missing = f"missing-{uuid.uuid4()}"
    with pytest.raises(cloudflare.NotFound) as caught:
        engine.get_instance(WORKFLOW, missing)
    assert caught.value.what == "instance"
    rows = [row for page in engine.list_instances(WORKFLOW) for row in page.instances]
    assert all(row.status.is_known and row.created_on for row in rows)
    deletion = engine.delete_instances(WORKFLOW, [instance_id, missing])
    assert deletion.deleted == (instance_id,)
    assert list(deletion.errors) == [missing]
    with pytest.raises(cloudflare.NotFound) as caught:
        engine.get_workflow("no-such-workflow")
    assert caught.value.what == "workflow"
