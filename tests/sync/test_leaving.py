"""Rows that their lists no longer show are noticed, and no others, wherever a pass was cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dashboard import sync
from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Action, InstancePage, Status
from dashboard.models import Progress, recording
from dashboard.sync import leaving, sweep
from dashboard.sync.knowing import subjects_of
from dashboard.sync.known import Kind, Work
from dashboard.sync.works import do_work
from tests.fixtures import Watched

NUMBER = 250


def go_on(watched: Watched, *, limit: int = 1) -> bool:
    """The next pages of the pass, as another process would read them; True at its end."""
    workflow = watched.workflow()
    progress = Progress.objects.get(workflow=workflow)
    walked = sweep.pass_over(
        watched.client, workflow, progress, Status.WAITING, limit=limit, clock=watched.clock
    )
    return walked.is_done


def left(watched: Watched) -> set[str]:
    return set(watched.workflow().instances.left().values_list("instance_id", flat=True))


@pytest.fixture(params=["one after the other", "all in one moment"])
def ids(watched: Watched, request: pytest.FixtureRequest) -> list[str]:
    """Waiting instances, as their list shows them, in three pages; copied a moment ago."""
    step = 1 if request.param == "one after the other" else 0
    for number in range(NUMBER):
        watched.add("waiting", age=3_000 + step * number)
    sync.freshen(watched.client, watched.account, clock=watched.clock)
    watched.advance(100)
    return list(watched.listed())


@pytest.mark.parametrize(
    "gone", [[0], [99], [100], [98, 101], [199, 200], [249], [*range(90, 110)]]
)
def test_only_the_rows_that_are_gone_have_left(
    watched: Watched, ids: list[str], gone: list[int]
) -> None:
    for number in gone:
        watched.remove(ids[number])

    while not go_on(watched):
        pass

    assert left(watched) == {ids[number] for number in gone}


def test_a_pass_that_is_cut_says_nothing_of_what_it_has_not_reached(
    watched: Watched, ids: list[str]
) -> None:
    watched.remove(ids[50])
    watched.remove(ids[150])

    assert not go_on(watched)

    assert ids[150] not in left(watched)


def test_a_pass_that_took_long_counts_as_of_its_beginning(watched: Watched, ids: list[str]) -> None:
    began = watched.clock()
    subject = subjects_of([watched.workflow()], watched.client.target)[watched.workflow().pk]
    work = Work(Kind.PASS, subject.workflow.pk, 1, 1.0, Status.WAITING)
    subject.progress.done.pop(work.name, None)

    while work.name not in subject.progress.done:
        do_work(work, subject, watched.client, clock=watched.clock)
        watched.advance(1_000)

    assert subject.progress.done[work.name] == began.timestamp()


def test_what_came_while_a_pass_went_on_has_not_left(watched: Watched, ids: list[str]) -> None:
    go_on(watched)
    new = watched.add("waiting", age=1)
    sync.read_instance(watched.client, watched.workflow(), new, now=watched.clock())
    watched.advance(1)

    while not go_on(watched):
        pass

    assert left(watched) == set()


def test_a_row_that_began_to_wait_after_the_page_was_asked_for_has_not_left(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = watched.add("paused", age=500)
    watched.add("waiting", age=400)
    watched.sync()
    watched.advance(100)
    record_pages = recording.record_pages

    def meanwhile(*args: Any, **options: Any) -> Any:
        watched.workflow().instances.filter(instance_id=paused).update(
            status="waiting", status_seen_at=watched.clock()
        )
        return record_pages(*args, **options)

    monkeypatch.setattr("dashboard.sync.pages.recording.record_pages", meanwhile)

    assert go_on(watched)

    assert left(watched) == set()


class TestUnsorted:
    @pytest.fixture(autouse=True)
    def _order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Cloudflare's pages in an order of which nothing can be said."""
        listed = Client.list_instances

        def unsorted(*args: Any, **options: Any) -> Iterator[InstancePage]:
            for page in listed(*args, **options):
                yield replace(page, is_sorted=False)

        monkeypatch.setattr(Client, "list_instances", unsorted)

    def test_a_list_that_was_read_in_one_go_tells_who_is_missing(
        self, watched: Watched, ids: list[str]
    ) -> None:
        watched.remove(ids[120])

        assert go_on(watched, limit=10)

        assert left(watched) == {ids[120]}

    def test_a_list_that_was_read_in_parts_tells_nothing(
        self, watched: Watched, ids: list[str]
    ) -> None:
        watched.remove(ids[120])

        while not go_on(watched, limit=2):
            pass

        assert left(watched) == set()


def test_whatever_shows_a_row_again_takes_the_mark_away(watched: Watched) -> None:
    one, other = watched.add("waiting", age=500), watched.add("waiting", age=400)
    watched.sync()
    watched.workflow().instances.update(left_at=watched.clock())
    assert left(watched) == {one, other}

    sync.read_instance(watched.client, watched.workflow(), one, now=watched.clock())
    assert left(watched) == {other}
    go_on(watched)

    assert left(watched) == set()


def test_what_became_of_many_rows_is_read_from_one_page(watched: Watched) -> None:
    ids = [watched.add("waiting", age=500 - number) for number in range(20)]
    watched.add("complete", age=100)
    watched.sync()
    watched.advance(100)
    for instance_id in ids:
        watched.client.change_instance_status("orders", instance_id, Action.TERMINATE)
    watched.advance(10)
    go_on(watched)
    assert left(watched) == set(ids)
    before = watched.client.request_count

    settled = leaving.settle_left(watched.client, watched.workflow(), limit=10, clock=watched.clock)

    assert settled == 20
    assert watched.client.request_count == before + 1
    assert {watched.row(instance_id).status for instance_id in ids} == {"terminated"}


def test_a_status_that_we_do_not_know_is_asked_about_after_a_while_without_news(
    watched: Watched,
) -> None:
    watched.add("complete", age=500)
    watched.server.faults.add("unknown-status", path="/instances", times=None)
    watched.sync()
    watched.server.faults.clear()
    [status] = watched.copied().values()
    leaving.mark_silent(watched.workflow(), [status], clock=watched.clock)
    assert left(watched) == set()
    watched.advance(601)

    leaving.mark_silent(watched.workflow(), [status], clock=watched.clock)

    assert len(left(watched)) == 1
