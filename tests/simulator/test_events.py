"""The simulated analytics tell what the instances did: late, sampled, in GraphQL's own envelope."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from dashboard import simulator
from dashboard.simulator import Server
from dashboard.simulator.feed import Feed
from dashboard.simulator.happenings import QUEUED
from dashboard.simulator.workflow import Query

from .conftest import NOON, Answer, Caller

COLUMNS = "datetime eventType workflowName instanceId stepName stepCount wallTime"


def ask_events(call: Caller, *, minutes: float = 10, columns: str = COLUMNS, **more: Any) -> Answer:
    now = call.server.world.now / 1000 - NOON.timestamp()
    until = NOON + timedelta(seconds=now)
    query = (
        "query E($account: string!, $since: Time, $until: Time) { viewer {"
        "  accounts(filter: {accountTag: $account}) { rows: workflowsAdaptive("
        f"  limit: {more.get('limit', 10_000)}, orderBy: [datetime_ASC],"
        "   filter: {datetime_geq: $since, datetime_leq: $until" + more.get("where", "") + "}"
        "  ) { " + columns + " } } } }"
    )
    variables = {
        "account": more.get("account", call.server.account_id),
        "since": (until - timedelta(minutes=minutes)).isoformat(),
        "until": until.isoformat(),
    }
    headers = more.get("headers", {})
    return call("POST", "/graphql", {"query": query, "variables": variables}, **headers)


def rows(answer: Answer) -> list[Any]:
    assert answer.json["errors"] is None, answer.json
    found: list[Any] = answer.json["data"]["viewer"]["accounts"][0]["rows"]
    return found


def error(answer: Answer) -> str:
    assert answer.json["data"] is None
    return str(answer.json["errors"][0]["message"])


@pytest.fixture
def prompt() -> Iterator[Caller]:
    """An empty account whose events show at once."""
    with simulator.serve("empty", now=NOON, event_lag=0) as running:
        yield Caller(running)


def test_the_events_of_an_instance_tell_its_course(prompt: Caller) -> None:
    prompt.server.world.add_instance("w", "errored", instance_id="i", age=60)

    found = rows(ask_events(prompt))

    assert {row["instanceId"] for row in found} == {"i"}
    assert sorted((row["eventType"], row["stepName"]) for row in found) == [
        ("ATTEMPT_FAILURE", "charge card-1"), ("ATTEMPT_START", "charge card-1"),
        ("ATTEMPT_START", "first step-1"), ("ATTEMPT_SUCCESS", "first step-1"),
        ("STEP_FAILURE", "charge card-1"), ("STEP_START", "charge card-1"),
        ("STEP_START", "first step-1"), ("STEP_SUCCESS", "first step-1"),
        ("WORKFLOW_FAILURE", ""), ("WORKFLOW_QUEUED", ""), ("WORKFLOW_START", ""),
    ]  # fmt: skip
    assert [row["datetime"] for row in found] == sorted(row["datetime"] for row in found)
    [step] = [row for row in found if row["eventType"] == "STEP_SUCCESS"]
    assert (step["wallTime"], step["stepCount"]) == (200, 1)


def test_what_has_not_happened_is_not_told(prompt: Caller) -> None:
    prompt.server.world.add_instance("w", "paused", instance_id="p")
    prompt.server.world.add_instance("w", "sleeping", instance_id="s")

    kinds = {row["eventType"] for row in rows(ask_events(prompt))}

    assert "SLEEP_START" in kinds
    assert not kinds & {"SLEEP_COMPLETE", "WORKFLOW_SUCCESS"}


def test_a_restart_keeps_what_was_before_it(prompt: Caller) -> None:
    prompt.server.world.add_instance("w", "errored", instance_id="i", age=60)
    prompt.act("w", "i", "restart")
    prompt.server.world.advance(10)

    kinds = [row["eventType"] for row in rows(ask_events(prompt))]

    assert kinds.count("WORKFLOW_QUEUED") == 2
    assert kinds.count("WORKFLOW_FAILURE") == 1


def test_an_event_shows_late(server: Server, call: Caller) -> None:
    server.world.add_instance("w", "queued", instance_id="i", age=0)

    before = rows(ask_events(call))
    server.world.advance(6)

    assert before == []
    assert [row["eventType"] for row in rows(ask_events(call))] == [QUEUED]


def test_sampling_leaves_the_same_events_out_each_time() -> None:
    with simulator.serve("incident", now=NOON, event_share=0.5) as some:
        half = rows(ask_events(Caller(some)))
        again = rows(ask_events(Caller(some)))
        some.feed.share = 1.0
        whole = rows(ask_events(Caller(some)))

    assert half == again
    assert 0.4 * len(whole) < len(half) < 0.6 * len(whole)


def test_filters_and_limits_are_heeded(ask: Caller) -> None:
    failures = rows(ask_events(ask, where=', eventType_in: ["WORKFLOW_FAILURE"]'))

    assert {row["eventType"] for row in failures} == {"WORKFLOW_FAILURE"}
    assert len(rows(ask_events(ask, limit=3))) == 3
    name = failures[0]["instanceId"]
    assert {
        row["instanceId"] for row in rows(ask_events(ask, where=f', instanceId: "{name}"'))
    } == {name}


@pytest.mark.parametrize("kinds", [None, frozenset({"WORKFLOW_FAILURE"}), frozenset({QUEUED})])
def test_looking_at_few_instances_finds_what_looking_at_all_does(
    incident: Server, kinds: frozenset[str] | None
) -> None:
    """For each instance, its course as built for an answer, against the search by distances."""
    world, until = incident.world, incident.world.now
    since = until - 20 * 60_000
    for workflow in world.workflows.values():
        for status in workflow.counts(until):
            for row in workflow.page(Query((status,), limit=10_000), until).rows:
                workflow.touch(row.id, until)
    slow = Feed(lag=0).events(world.workflows.values(), since, until, until, kinds)
    expected = {(e.second, e.workflow, e.instance, e.what.kind) for e in slow}

    with simulator.serve("incident", now=NOON) as untouched:
        fast = Feed(lag=0).events(untouched.world.workflows.values(), since, until, until, kinds)
    assert expected
    assert {(e.second, e.workflow, e.instance, e.what.kind) for e in fast} == expected


def test_a_token_may_lack_the_permission(call: Caller) -> None:
    headers = {"Authorization": f"Bearer {call.server.no_analytics_token}"}

    answer = ask_events(call, headers=headers)

    assert (answer.status, error(answer)) == (200, "not authorized for that account")
    assert call("GET", "", None, **headers).status == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"columns": "datetime colour"}, 'unknown field "colour"'),
        ({"where": ", colour: 3"}, 'unknown arg "colour"'),
        ({"where": "}"}, "error parsing query"),
        ({"limit": 10_001}, "limit must be positive number and not greater than 10000"),
        ({"minutes": 32 * 24 * 60}, "cannot request data older than 2678400s"),
        ({"account": "0" * 32}, "not authorized for that account"),
    ],
)
def test_a_bad_query_is_refused_in_words(call: Caller, asked: dict[str, Any], words: str) -> None:
    assert words in error(ask_events(call, **asked))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"query": "{ viewer ("}'])
def test_what_is_no_query_is_refused(call: Caller, body: bytes) -> None:
    answer = call("POST", "/graphql", body)

    assert answer.status == 400
    assert error(answer)


def test_queries_have_a_limit_of_their_own(call: Caller) -> None:
    call.server.feed.limit.quota = 2

    answers = [ask_events(call) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert "budget depleted" in error(answers[-1])
    assert answers[-1].headers["retry-after"] == "300"
    assert call("GET", "").status == 200
