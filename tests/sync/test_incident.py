"""The scenario `incident` as somebody sees it who was just paged: held to the scenario's truth."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from dashboard.forms.since import Since
from dashboard.insight.causes import Cause, Hanging
from dashboard.models import User, access_of, group_figures
from dashboard.simulator.definition import Kind
from dashboard.simulator.world import Truth
from dashboard.views.board import Board
from dashboard.views.since_page import SincePage
from tests.fixtures import Watched
from tests.sync.test_stuck import look, watching

pytestmark = pytest.mark.django_db


def watch_half_an_hour(watched: Watched) -> None:
    """Until all that failed was read, too."""
    for minutes in (0, 3, 3, 3, 20, 3, 3):
        watched.advance(minutes * 60)
        look(watched)
    while group_figures.unread():
        watched.advance(30)
        look(watched)


def of_kind(watched: Watched, kind: Kind) -> list[Truth]:
    return [one for one in watched.server.world.truth if one.kind is kind]


def named(watched: Watched, *kinds: Kind) -> set[tuple[str, str, str]]:
    truth = [one for kind in kinds for one in of_kind(watched, kind)]
    return {(one.workflow, one.step, one.error) for one in truth}


def just_before(watched: Watched) -> datetime:
    """The moment before the first of the causes."""
    since = min(one.since or 0 for one in of_kind(watched, Kind.CAUSE))
    return datetime.fromtimestamp(since / 1000, tz=UTC) - timedelta(minutes=1)


def text_of(html: str) -> str:
    bare = re.sub(r"<svg.*?</svg>|<[^>]+>", "", html.split("<main")[1], flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", bare))


def test_what_broke_is_named_by_the_overview_and_since_the_page_and_nothing_else(
    client: Client, viewer: User
) -> None:
    client.force_login(viewer)
    with watching("incident") as watched:
        watch_half_an_hour(watched)
        cache.clear()
        with time_machine.travel(watched.clock(), tick=False):
            since_names_the_truth(watched, client, viewer)
            overview_names_the_truth(watched, client)


def since_names_the_truth(watched: Watched, client: Client, viewer: User) -> None:
    at = just_before(watched)
    page = SincePage(at, watched.clock(), access_of(viewer))

    hold_to_truth(watched, page.new, page.stuck)
    assert page.grown == page.going_on == []
    [bad] = of_kind(watched, Kind.VERSION)
    assert [one.version_id for one in page.versions] == [bad.version_id]
    assert page.versions[0].worse

    response = client.get("/since/", {"at": at.isoformat()})
    assert response.status_code == 200
    assert page.headline in text_of(response.content.decode())
    assert page.headline.startswith("2 new causes since 02:19 UTC: ")
    for cause in of_kind(watched, Kind.CAUSE):
        assert cause.error in page.headline
    for noise in of_kind(watched, Kind.NOISE):
        assert f"{noise.error} in {noise.step}" not in page.headline
    [hangs] = of_kind(watched, Kind.STUCK)
    assert f"stuck in {hangs.step} of {hangs.workflow}; " in page.headline
    assert f"a new version of {bad.workflow} since 02:38 UTC, which does worse" in page.headline


def overview_names_the_truth(watched: Watched, client: Client) -> None:
    workflows = [watched.workflow(name) for name in watched.server.world.workflows]
    broken = Board(Since(), watched.clock()).broken(workflows)
    hold_to_truth(watched, broken.causes, broken.stuck)

    told = text_of(client.get("/").content.decode())
    assert told.index("Broken now") < told.index("Failed lately")
    for cause in of_kind(watched, Kind.CAUSE):
        assert f"{cause.error}: " in told
    [hangs] = of_kind(watched, Kind.STUCK)
    assert f"in {hangs.step} of {hangs.workflow}" in told


def hold_to_truth(watched: Watched, found: list[Cause], stuck: list[Hanging]) -> None:
    """Each cause is one of the truth, which stands first in it; none of the old noise is shown
    beside it; and one step hangs."""
    places = [(one.place.workflow, one.place.step, one.parts[0].error) for one in found]
    assert sorted(places) == sorted(named(watched, Kind.CAUSE))
    parts = {(one.place.workflow, one.place.step, p.error) for one in found for p in one.parts}
    assert not parts & named(watched, Kind.NOISE)
    [hangs] = of_kind(watched, Kind.STUCK)
    assert [(one.place.workflow, one.place.step) for one in stuck] == [(hangs.workflow, hangs.step)]
