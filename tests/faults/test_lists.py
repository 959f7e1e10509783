"""Lists that lie, break or change amid being read: the copy is whole once it is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dashboard import sync
from dashboard.models import Instance
from dashboard.simulator import actions
from dashboard.simulator.messages import Request
from tests.faults.meanwhile import before
from tests.fixtures import Watched

#: Each spoils every list and detail while it lasts.
SPOILT = [
    "rate-limited", "error-10001", "html", "challenge", "empty", "refused-200", "expired-cursor",
    "reset", "cut-off", "error-10001-with-result", "content-type", "unknown-status",
    "unknown-step", "unknown-trigger", "extra-fields", "missing-fields", "null-fields",
    "no-result-info", "duplicate-rows", "skipped-rows", "repeating-cursor", "endless-cursor",
]  # fmt: skip


#: Only lists: what an instance itself says is believed for as long as nothing newer is told.
LISTS_ONLY = {"unknown-status": r"/instances\?"}


def later(watched: Watched, *, times: int = 4, seconds: float = 60) -> None:
    """So many syncs, each a while after the one before."""
    for _ in range(times):
        watched.advance(seconds)
        watched.sync()


@pytest.mark.parametrize("kind", SPOILT)
def test_whatever_the_lists_answer_the_copy_is_whole_once_it_is_over(
    watched: Watched, kind: str
) -> None:
    for number in range(230):
        watched.add("complete" if number % 9 else "errored", age=100_000 - number * 400)
    path = LISTS_ONLY.get(kind, "/instances")
    watched.server.faults.add(kind, method="GET", path=path)
    watched.sync()
    later(watched, times=1)

    watched.server.faults.clear()
    later(watched, seconds=2 * 3600)

    assert watched.copied() == watched.listed()
    assert len(watched.copied()) == 230


@pytest.mark.parametrize("kind", SPOILT)
def test_what_was_copied_stays_while_the_lists_are_wrong(watched: Watched, kind: str) -> None:
    ids = {watched.add(state) for state in ("waiting", "errored", "complete", "paused")}
    watched.sync()

    watched.server.faults.add(kind, method="GET", path="/instances")
    later(watched)

    assert set(watched.copied()) == ids
    assert not Instance.objects.exclude(expired_at=None).exists()


@pytest.mark.parametrize("minutes", [-30, -3, 3, 30])
def test_a_clock_of_ours_that_is_wrong_loses_and_changes_nothing(
    watched: Watched, minutes: int
) -> None:
    def wrong() -> datetime:
        return watched.clock() + timedelta(minutes=minutes)

    for number in range(120):
        watched.add("waiting" if number % 2 else "complete", age=5_000 - number * 40)
    for seconds in (0, 60, 25 * 3600, 60, 60):
        watched.advance(seconds)
        watched.add("errored", age=1)
        sync.sync_account(watched.client, watched.account, clock=wrong)

    assert watched.copied() == watched.listed()
    assert watched.account.sync_error == ""


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_set_in_the_middle_costs_time_and_no_row(
    watched: Watched, minutes: int
) -> None:
    off = timedelta(0)

    def ours() -> datetime:
        return watched.clock() + off

    for number in range(120):
        watched.add("waiting", age=5_000 - number * 40)
    sync.sync_account(watched.client, watched.account, clock=ours)
    off = timedelta(minutes=minutes)
    watched.advance(25 * 3600)
    watched.add("errored", age=1)
    for _ in range(30):
        watched.advance(60)
        sync.sync_account(watched.client, watched.account, clock=ours)

    assert watched.copied() == watched.listed()


def test_a_token_that_is_revoked_amid_a_sync_stops_it_and_a_new_one_goes_on(
    watched: Watched,
) -> None:
    for number in range(350):
        watched.add("complete", age=50_000 - number)
    server = watched.server
    grant = server.grants[server.token]

    def revoke(request: Request) -> None:
        if "cursor=" in request.query:
            server.grants.pop(server.token, None)

    before(server, revoke)

    account = watched.sync()
    assert "refused the token" in account.sync_error
    assert 0 < len(watched.copied()) < 350

    server.grants[server.token] = grant
    del server.service.handle
    watched.advance(60)
    assert watched.sync().sync_error == ""
    assert watched.copied() == watched.listed()


def test_a_restart_between_the_list_and_the_detail_shows_the_new_start(watched: Watched) -> None:
    failed = watched.add("errored")
    world = watched.server.world

    def restart(request: Request) -> None:
        if request.path.endswith(f"/instances/{failed}"):
            actions.restart(world.workflows["orders"], failed, world.now, None)

    before(watched.server, restart)
    watched.advance(1)
    watched.sync()
    del watched.server.service.handle
    assert watched.row(failed).generation == 2
    later(watched, times=1, seconds=400)

    row = watched.row(failed)
    assert row.status == world.status("orders", failed)
    assert row.generation == 2
