"""The account's events: every row once, in order, whatever page borders and answers are like."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.cloudflare import Client, EventType, events
from dashboard.cloudflare.errors import (
    CloudflareError,
    Failed,
    Invalid,
    RateLimited,
    Unauthorized,
    UnexpectedResponse,
    Unsupported,
)

from .conftest import ACCOUNT, TOKEN, Reply, Server, html, refused

SINCE = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=10)


def row(second: int, instance: str = "i-1", kind: str = "WORKFLOW_SUCCESS", **more: Any) -> Any:
    at = (SINCE + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"datetime": at, "eventType": kind, "workflowName": "w", "instanceId": instance, **more}


def answer(*rows: Any) -> Reply:
    accounts = [{"workflowsAdaptive": list(rows)}]
    return Reply({"data": {"viewer": {"accounts": accounts}}, "errors": None})


def error(message: str, status: int = 200) -> Reply:
    shape = {"message": message, "path": ["viewer"], "extensions": {"timestamp": "now"}}
    return Reply({"data": None, "errors": [shape]}, status=status)


def read(client: Client, **options: Any) -> list[events.WorkflowEvent]:
    return list(client.list_events(SINCE, UNTIL, **options))


def test_an_event_is_read_with_all_it_says(client: Client, server: Server) -> None:
    step = {"stepName": "charge-1", "stepCount": 2, "wallTime": 1300, "sampleInterval": 1}
    server.answer(answer(row(4, "i-7", "ATTEMPT_FAILURE", **step)))

    [event] = read(client)

    assert (event.at, event.kind) == (SINCE + timedelta(seconds=4), EventType.ATTEMPT_FAILURE)
    assert (event.workflow_name, event.instance_id) == ("w", "i-7")
    assert (event.step_name, event.step_count, event.wall_time_ms) == ("charge-1", 2, 1300)
    assert event.raw["sampleInterval"] == 1


def test_a_query_names_the_account_the_stretch_and_the_kinds(
    client: Client, server: Server
) -> None:
    server.answer(answer())

    read(client, kinds=[EventType.WORKFLOW_FAILURE], limit=7)

    seen = server.last
    assert (seen.method, seen.path) == ("POST", "/client/v4/graphql")
    assert seen.json["variables"] == {
        "account": ACCOUNT,
        "since": "2026-11-21T03:00:00.000Z",
        "until": "2026-11-21T03:10:00.000Z",
    }
    assert "limit: 7\n" in seen.json["query"]
    assert 'eventType_in: ["WORKFLOW_FAILURE"]' in seen.json["query"]


def test_an_unknown_kind_is_kept_as_it_came(client: Client, server: Server) -> None:
    server.answer(answer(row(1, kind="WORKFLOW_TELEPORTED")))

    [event] = read(client)

    assert event.kind == "WORKFLOW_TELEPORTED"
    assert not event.kind.is_known


def test_rows_that_say_too_little_are_left_out(client: Client, server: Server) -> None:
    rows = [None, "row", {}, row(1) | {"datetime": "yesterday"}, row(2) | {"instanceId": None}]
    server.answer(answer(*rows, row(3, "good")))

    assert [event.instance_id for event in read(client)] == ["good"]


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error("not authorized for that account"), Unauthorized, "lacks Account Analytics: Read"),
        (error("zones are not authorized", 403), Unauthorized, "lacks Account Analytics: Read"),
        (error("account 'x' does not have access to the path"), Unauthorized, "Account Analytics"),
        (Reply({"data": {"viewer": {"accounts": []}}}), Unauthorized, "Account Analytics: Read"),
        (refused(401, 10000, "Authentication error"), Unauthorized, "Account Analytics: Read"),
        (error('unknown field "workflowsAdaptive"'), Unsupported, "unknown field"),
        (error("not available for your plan. Upgrade to"), Unsupported, "plan"),
        (error("cannot request data older than 2678400s"), Invalid, "older than"),
        (error("rate limiter budget depleted, try again after 5 minutes"), RateLimited, "5 min"),
        (refused(429, 971, "slow down"), RateLimited, "no more requests"),
        (error("Internal server error"), Failed, "Internal server error"),
        (error("too many queries in progress, please try again later", 503), Failed, "too many"),
        (html(502), Failed, "failed to answer"),
        (Reply({"data": None, "errors": None}), UnexpectedResponse, "without its data"),
        (Reply({"data": {"viewer": {"accounts": [{"workflowsAdaptive": 3}]}}}),
         UnexpectedResponse, "unreadable"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_it_is(
    client: Client, server: Server, reply: Reply, kind: type[CloudflareError], words: str
) -> None:
    server.answer(reply)

    with pytest.raises(kind, match=words) as caught:
        read(client)
    assert type(caught.value) is kind
    assert TOKEN not in str(caught.value)


def test_a_query_is_tried_again_as_a_read_is(client: Client, server: Server) -> None:
    server.answer(html(502), error("Internal server error"), answer(row(1)))

    assert len(read(client)) == 1
    assert len(server.seen) == 3


def test_a_depleted_limit_is_not_asked_again(client: Client, server: Server) -> None:
    server.answer(error("rate limiter budget depleted, try again after 5 minutes", 429))

    with pytest.raises(RateLimited) as caught:
        read(client)
    assert (len(server.seen), caught.value.retry_after) == (1, 300)


def test_a_local_wrangler_is_not_asked(local: Client, server: Server) -> None:
    with pytest.raises(Unsupported, match=r"^wrangler dev has no event feed\.$"):
        read(local)
    assert server.seen == []


# Paging

Rows = list[tuple[int, str]]


def table(rows: Rows) -> Callable[[datetime, int], list[Any]]:
    """A server that gives the first rows since an instant, oldest first."""
    kept = sorted((row(second, instance) for second, instance in rows), key=lambda r: r["datetime"])

    def ask(since: datetime, limit: int) -> list[Any]:
        later = [r for r in kept if datetime.fromisoformat(r["datetime"]) >= since]
        return later[:limit]

    return ask


def told(rows: Rows, limit: int) -> Rows:
    found = events.walk(table(rows), SINCE, limit)
    return sorted((int((e.at - SINCE).total_seconds()), e.instance_id) for e in found)


@given(
    # Few instants and ids: ties at every border, and rows that are equal in all they say.
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("abc")), max_size=40),
    st.integers(1, 6),
)
def test_paging_loses_and_repeats_nothing(rows: Rows, limit: int) -> None:
    assert told(rows, limit) == sorted(rows)


def test_an_instant_that_no_page_holds_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LARGEST_PAGE", 4)
    rows = [(1, f"i-{number}") for number in range(9)] + [(2, "later")]

    found = told(rows, 2)

    assert (2, "later") in found
    assert len(found) == 5


def test_a_server_that_always_gives_the_same_page_does_not_hold_us() -> None:
    page = [row(1, "a"), row(1, "b")]

    assert len(list(events.walk(lambda _since, _limit: page, SINCE, 2))) == 2
