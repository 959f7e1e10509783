"""Lists end, whatever a server says about their pages."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import cloudflare
from dashboard.cloudflare import Client, paging
from dashboard.cloudflare.responses import Result
from tests.cloudflare.conftest import Reply, Server, ok, refused


def rows(*ids: str) -> list[dict[str, str]]:
    return [{"id": id_, "status": "running", "created_on": "2026-11-20T00:00:00Z"} for id_ in ids]


def ids(client: Client) -> list[list[str]]:
    return [[row.id for row in page.instances] for page in client.list_instances("orders")]


def test_cursors_are_followed_until_there_is_none(client: Client, server: Server) -> None:
    server.answer(ok(rows("a"), cursor="1"), ok(rows("b"), cursor="2"), ok(rows("c"), count=1))
    assert ids(client) == [["a"], ["b"], ["c"]]
    assert [seen.query.get("cursor") for seen in server.seen] == [None, "1", "2"]
    assert ["direction" in seen.query for seen in server.seen] == [True, False, False]
    assert not any("page" in seen.query for seen in server.seen)


@pytest.mark.parametrize(
    "end",
    [
        ok(rows("b"), cursor=""),
        ok(rows("b"), cursor=None),
        ok(rows("b"), cursor={"odd": 1}),
        ok(rows("b"), cursor="1"),
        ok(rows("b")),
        Reply({"success": True, "result": rows("b"), "result_info": "odd"}),
    ],
)
def test_a_missing_empty_or_repeated_cursor_ends_the_list(
    client: Client, server: Server, end: Reply
) -> None:
    server.answer(ok(rows("a"), cursor="1"), end)
    assert ids(client) == [["a"], ["b"]]


@pytest.mark.parametrize("empty", [ok([], cursor="2"), ok(None, cursor="2")])
def test_an_empty_page_ends_the_list(client: Client, server: Server, empty: Reply) -> None:
    server.answer(ok(rows("a"), cursor="1"), empty)
    assert ids(client) == [["a"]]


def test_a_list_that_never_ends_is_left_when_it_repeats_itself(
    client: Client, server: Server
) -> None:
    numbers = itertools.count()
    server.app = lambda seen: ok(rows("a", "b"), cursor=str(next(numbers)))
    assert ids(client) == [["a", "b"]]


def test_a_list_without_a_result_is_not_an_empty_list(client: Client, server: Server) -> None:
    for reply in (ok({"instances": []}), ok("text"), refused(200, 10001)):
        server.answer(reply)
        with pytest.raises(cloudflare.CloudflareError):
            ids(client)


def test_a_walk_goes_on_from_a_pages_cursor(client: Client, server: Server) -> None:
    server.answer(ok(rows("c"), cursor="3"), ok(rows("d")))
    pages = list(client.list_instances("orders", cursor="2"))
    assert [page.cursor for page in pages] == ["3", None]
    assert [seen.query["cursor"] for seen in server.seen] == ["2", "3"]


def test_a_forgotten_cursor_says_to_begin_again(client: Client, server: Server) -> None:
    server.answer(ok(rows("a"), cursor="1"), refused(400, 10002, "invalid cursor"))
    pages = client.list_instances("orders")
    assert next(pages).cursor == "1"
    with pytest.raises(cloudflare.CursorExpired) as caught:
        next(pages)
    assert caught.value.code == 10002


@pytest.mark.parametrize("refusal", [refused(400, 10002), refused(500, 10001, "internal_server")])
def test_where_a_direction_is_refused_the_list_is_asked_without(
    client: Client, server: Server, refusal: Reply
) -> None:
    server.app = lambda seen: refusal if "direction" in seen.query else ok(rows("a"))
    assert ids(client) == [["a"]]


def test_another_failure_of_the_first_page_is_not_asked_twice(
    client: Client, server: Server
) -> None:
    server.answer(refused(403, 10000))
    with pytest.raises(cloudflare.Unauthorized):
        ids(client)
    assert len(server.seen) == 1


def test_a_page_is_newest_first(client: Client, server: Server) -> None:
    dates = {"old": "2026-01-01T00:00:00Z", "new": "2026-03-01T00:00:00Z", "none": None}
    server.answer(ok([{"id": name, "created_on": date} for name, date in dates.items()]))
    assert ids(client) == [["new", "old", "none"]]


def test_the_local_engine_is_paged_by_number_until_a_page_brings_nothing_new(
    local: Client, server: Server
) -> None:
    server.app = lambda seen: ok(rows(*("abcd"[int(seen.query["page"]) - 1 :][:1])))
    assert ids(local) == [["a"], ["b"], ["c"], ["d"]]
    assert [seen.query["page"] for seen in server.seen] == ["1", "2", "3", "4", "5"]
    server.app = lambda seen: ok(rows("a"))
    assert ids(local) == [["a"]]


def test_ghost_rows_are_dropped_where_the_target_makes_them(
    local: Client, client: Client, server: Server
) -> None:
    ghost = {"id": "c63ec0bc" * 8}
    server.answer(ok([ghost, *rows("a")], per_page=100, total_count=2))
    assert ids(local) == [["a"]]
    assert ids(client) == [["a", ghost["id"]]]
    server.answer(ok([ghost | {"status": "running"}], per_page=100))
    assert ids(local) == [[ghost["id"]]]


@pytest.mark.parametrize("info", [{}, {"total_pages": 9}, {"total_count": 900}])
def test_accounts_that_repeat_forever_end(
    client: Client, server: Server, info: dict[str, int]
) -> None:
    server.answer(ok([{"id": "a"}, {"id": "b"}], **info))
    assert [account["id"] for account in client.list_accounts()] == ["a", "b"]
    assert len(server.seen) == 2


@pytest.mark.parametrize("info", [{"total_pages": 1}, {"per_page": 100, "count": 1}])
def test_a_last_page_that_is_told_costs_no_further_request(
    client: Client, server: Server, info: dict[str, int]
) -> None:
    server.answer(ok([{"name": "orders"}], **info))
    assert len(list(client.list_workflows())) == 1
    assert len(server.seen) == 1


def test_workflows_of_a_local_engine_that_ignores_pages_end(local: Client, server: Server) -> None:
    server.answer(ok([{"name": "a"}, {"name": "b"}], count=2))
    assert [workflow.name for workflow in local.list_workflows()] == ["a", "b"]


pages = st.lists(
    st.tuples(st.lists(st.sampled_from("abcdefgh")), st.sampled_from(["", "1", "2", "3", "4"])),
    min_size=1,
)


def endless(script: list[tuple[list[str], str]]) -> Callable[[Any], Result]:
    turns = itertools.cycle(script)

    def get(params: paging.Params) -> Result:
        found, cursor = next(turns)
        return Result([{"id": id_} for id_ in found], {"cursor": cursor}, None)

    return get


@given(pages)
def test_any_list_ends(script: list[tuple[list[str], str]]) -> None:
    by_cursor = list(itertools.islice(paging.by_cursor(endless(script), {}), 50))
    by_page = list(itertools.islice(paging.by_page(endless(script), {}, key="id"), 50))
    assert len(by_cursor) < 50
    assert len(by_page) < 50
    assert all(page.value for page in [*by_cursor, *by_page])
