"""What a scenario says is wrong with it is what its instances show, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from dashboard import simulator
from dashboard.simulator import Server
from dashboard.simulator.clock import instant
from dashboard.simulator.definition import Kind
from dashboard.simulator.world import Truth

from .conftest import NOON, Caller
from .test_world import everything


def failures(call: Caller, workflow: str) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Of each errored instance its row, the step that it failed in, and the error's name."""
    for row in everything(call, workflow, "&status=errored"):
        detail = call.instance(workflow, quote(row["id"], safe=""))
        failed = [step for step in detail["steps"] if _has_failed(step)]
        yield row, failed[-1]["name"].rpartition("-")[0], detail["error"]["name"]


def _has_failed(step: dict[str, Any]) -> bool:
    is_pause = step["type"] in {"sleep", "waitForEvent"}
    return (
        bool(step.get("error"))
        if is_pause
        else step.get("success") is False and (step["type"] == "step")
    )


def of_kind(server: Server, *kinds: Kind) -> list[Truth]:
    return [truth for truth in server.world.truth if truth.kind in kinds]


@pytest.mark.parametrize("seed", [1, 2])
def test_every_failure_of_the_incident_is_a_cause_or_an_old_noise(seed: int) -> None:
    with simulator.serve("incident", seed=seed, now=NOON) as server:
        call = Caller(server)
        told = of_kind(server, Kind.CAUSE, Kind.NOISE)

        seen = {
            (workflow, step, error)
            for workflow in server.world.workflows
            for _, step, error in failures(call, workflow)
        }

        assert seen == {(one.workflow, one.step, one.error) for one in told}


def test_a_cause_has_failed_nothing_before_it_broke(incident: Server, ask: Caller) -> None:
    for cause in of_kind(incident, Kind.CAUSE):
        assert cause.since is not None
        first = min(
            row["created_on"]
            for row, step, error in failures(ask, cause.workflow)
            if (step, error) == (cause.step, cause.error)
        )
        assert first >= instant(cause.since)


def test_what_hangs_runs_in_the_stuck_step_and_does_not_fail(incident: Server, ask: Caller) -> None:
    [stuck] = of_kind(incident, Kind.STUCK)
    incident.world.advance(3_600)

    hanging = [
        row
        for row in everything(ask, stuck.workflow, "&status=running")
        if ask.instance(stuck.workflow, row["id"])["steps"][-1]["name"] == f"{stuck.step}-1"
    ]

    assert len(hanging) > 5


def test_the_bad_version_is_the_newest_and_fails_more_than_the_one_before(
    incident: Server, ask: Caller
) -> None:
    [bad] = of_kind(incident, Kind.VERSION)
    rows = everything(ask, bad.workflow)
    number = Counter(row["version_id"] for row in rows)
    errored = Counter(row["version_id"] for row in rows if row["status"] == "errored")
    [before] = number.keys() - {bad.version_id}

    assert bad.version_id == incident.world.workflows[bad.workflow].versions[-1].id
    assert errored[bad.version_id] / number[bad.version_id] > 3 * errored[before] / number[before]


def test_nothing_is_broken_in_the_busy_account() -> None:
    with simulator.serve("busy", now=NOON, instances=400) as server:
        assert {truth.kind for truth in server.world.truth} == {Kind.NOISE}
