"""What the account holds, and how it moves with time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from dashboard import simulator
from dashboard.simulator import Server
from dashboard.simulator.clock import instant
from dashboard.simulator.placing import STATES
from dashboard.simulator.queries import STATUSES

from .conftest import NOON, Caller


def totals(call: Caller) -> Counter[str]:
    found: Counter[str] = Counter()
    for workflow in call("GET", "?per_page=100").result:
        found.update(workflow["instances"])
    return found


def everything(call: Caller, workflow: str, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = call("GET", f"/{workflow}/instances?per_page=100{query}{cursor}").json
        rows += answer["result"]
        if "cursor" not in answer["result_info"]:
            return rows
        cursor = f"&cursor={answer['result_info']['cursor']}"


@pytest.mark.parametrize("later", [0, 1, 7 * 60, 3_600, 5 * 3_600, 30 * 3_600])
def test_the_incident_shows_all_nine_statuses_at_any_time(
    incident: Server, ask: Caller, later: int
) -> None:
    incident.world.advance(later)

    found = totals(ask)

    assert {status for status, count in found.items() if count} == set(STATUSES)
    assert found.total() >= 500


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_it_shows_them_whatever_the_seed(seed: int) -> None:
    with simulator.serve("incident", seed=seed, instances=500, now=NOON) as server:
        assert {status for status, count in totals(Caller(server)).items() if count} == set(
            STATUSES
        )


def test_the_queue_of_the_incident_grows(incident: Server, ask: Caller) -> None:
    before = totals(ask)["queued"]
    incident.world.advance(300)

    assert totals(ask)["queued"] > before > 0


def test_new_instances_keep_coming_by_every_trigger(incident: Server, ask: Caller) -> None:
    incident.world.advance(3_600)
    since = f"&date_start={(NOON + timedelta(seconds=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}"

    triggers = {
        row["trigger_source"]
        for workflow in incident.world.workflows
        for row in everything(ask, workflow, since)
    }

    assert triggers == {"api", "binding", "event", "cron", "unknown"}


def test_the_failing_version_has_one_cause_in_many_words(ask: Caller) -> None:
    failed = everything(ask, "order-pipeline", "&status=errored")
    newest = max(failed, key=lambda row: row["created_on"])["version_id"]
    details = [
        ask("GET", f"/order-pipeline/instances/{row['id']}?simple=true").result
        for row in failed
        if row["version_id"] == newest
    ]
    errors = [detail["error"] for detail in details]
    messages = [e["message"] for e in errors if e["name"] == "PaymentProviderError"]

    assert len(messages) > 5
    assert len(set(messages)) == len(messages)
    assert all("503 Service Unavailable" in message for message in messages)


def test_retries_come_after_growing_delays(ask: Caller) -> None:
    """Exponential: 10, 20, 40, 80 and 160 seconds from a failure to the next attempt."""
    failed = everything(ask, "order-pipeline", "&status=errored")
    logs = [ask.instance("order-pipeline", row["id"])["steps"] for row in failed]
    charges = [next(s for s in log if s["name"] == "charge card-1") for log in logs]
    stormy = next(step["attempts"] for step in charges if len(step["attempts"]) > 1)

    gaps = [
        (datetime.fromisoformat(later["start"]) - datetime.fromisoformat(earlier["end"])).seconds
        for earlier, later in pairwise(stormy)
    ]
    assert gaps == [10, 20, 40, 80, 160]


def test_the_counts_are_those_of_the_lists(ask: Caller) -> None:
    for workflow in ask("GET", "?per_page=100").result:
        rows = everything(ask, workflow["name"])
        listed = Counter(row["status"] for row in rows)
        assert {s: n for s, n in workflow["instances"].items() if n} == dict(listed)
        for status in listed:
            filtered = everything(ask, workflow["name"], f"&status={status}")
            assert {r["id"] for r in filtered} == {r["id"] for r in rows if r["status"] == status}


def future(step: dict[str, Any], now: str) -> list[str]:
    """Instants of a step that have not come yet, but for the announced end of a sleep or a wait."""
    moments = [step["start"]] if "start" in step else []
    if step.get("finished", True):
        moments.append(step.get("end"))
    for attempt in step.get("attempts", []):
        moments += [attempt["start"], attempt["end"]]
    return [moment for moment in moments if moment and moment > now]


@pytest.mark.parametrize("later", [0, 5_000])
def test_the_log_knows_nothing_of_the_future(incident: Server, ask: Caller, later: int) -> None:
    incident.world.advance(later)
    now = instant(incident.world.now)
    unfinished = 0
    for workflow in ("order-pipeline", "refund-saga", "video-transcode", "flaky-import"):
        for row in everything(ask, workflow)[:40]:
            detail = ask.instance(workflow, row["id"])
            assert [future(step, now) for step in detail["steps"] if future(step, now)] == []
            for step in detail["steps"]:
                open_attempts = [a for a in step.get("attempts", []) if a["end"] is None]
                unfinished += len(open_attempts)
                if open_attempts:
                    assert (step["end"], step["success"], step["output"]) == (None, None, None)
                    assert open_attempts[0]["success"] is None

    assert unfinished > 3


@pytest.mark.parametrize("later", [0, 10_000])
def test_the_list_and_the_detail_agree(incident: Server, ask: Caller, later: int) -> None:
    incident.world.advance(later)
    for workflow in incident.world.workflows:
        for row in everything(ask, workflow)[:50]:
            detail = ask.instance(workflow, quote(row["id"], safe=""))
            shown = (detail["status"], detail["start"], detail["end"], detail["versionId"])
            assert shown == (row["status"], row["started_on"], row["ended_on"], row["version_id"])
            assert detail["step_count"] == len(detail["steps"])


def test_moving_on_in_small_steps_or_in_one_leads_to_the_same(
    ask: Caller, incident: Server
) -> None:
    totals(ask)
    for _ in range(30):
        incident.world.advance(120)
        totals(ask)
    with simulator.serve("incident", now=NOON) as other:
        other.world.advance(3_600)
        there = Caller(other)
        assert ask("GET", "?per_page=100").result == there("GET", "?per_page=100").result
        for workflow in incident.world.workflows:
            assert everything(ask, workflow) == everything(there, workflow)


def test_the_same_seed_gives_the_same_account_and_another_seed_another() -> None:
    pages = []
    for seed in (1, 1, 2):
        with simulator.serve("incident", seed=seed, now=NOON) as server:
            call = Caller(server)
            pages.append(call("GET", "/order-pipeline/instances?per_page=50&direction=asc").result)

    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


def test_finished_instances_go_when_retention_is_over(incident: Server, ask: Caller) -> None:
    gone = everything(ask, "order-pipeline", "&status=complete&direction=asc")[0]["id"]
    incident.world.advance(7 * 86_400)

    assert ask("GET", f"/order-pipeline/instances/{gone}").code == 10400
    assert gone not in {row["id"] for row in everything(ask, "order-pipeline", "&status=complete")}


def test_an_empty_account_is_empty(call: Caller) -> None:
    assert call("GET", "").result == []


@pytest.mark.parametrize("scenario", ["quiet", "busy"])
def test_the_healthy_accounts_have_instances_too(scenario: str) -> None:
    with simulator.serve(scenario, now=NOON, instances=400) as server:
        found = totals(Caller(server))

    assert found["complete"] > found["errored"]
    assert found.total() >= 300


@pytest.mark.parametrize("state", STATES)
def test_an_instance_can_be_placed_in_any_state(server: Server, call: Caller, state: str) -> None:
    server.world.add_instance("orders", state, instance_id="a")
    expected = {
        "in-step": "running",
        "sleeping": "waiting",
        "between-retries": "waiting",
        "waiting-for-event": "waiting",
        "paused-between-retries": "paused",
        "paused-waiting-for-event": "paused",
        "errored-by-timeout": "errored",
    }.get(state, state)

    assert call.instance("orders", "a")["status"] == expected


MILLION = """
import resource
from datetime import UTC, datetime
from dashboard import simulator
from tests.simulator.conftest import Caller
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with simulator.serve("huge", now=datetime(2026, 11, 20, 12, tzinfo=UTC)) as server:
    call = Caller(server)
    total = sum(sum(w["instances"].values()) for w in call("GET", "").result)
    page = call("GET", "/order-pipeline/instances?per_page=100&status=errored").json
    deep = call("GET", "/order-pipeline/instances?per_page=100&page=4000").json
    some = deep["result"][7]["id"]
    detail = call("GET", f"/order-pipeline/instances/{some}").result
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(total, len(page["result"]), len(deep["result"]), detail["status"])
print((after - before) // 1024)
"""


def test_a_million_instances_fit_and_answer() -> None:
    """In a process of its own, to see its size."""
    done = subprocess.run(
        [sys.executable, "-c", MILLION], capture_output=True, text=True, check=True, timeout=120
    )
    total, filtered, deep, status, megabytes = done.stdout.split()

    assert int(total) == 1_000_000
    assert (filtered, deep) == ("100", "100")
    assert status in STATUSES
    assert int(megabytes) < 250
