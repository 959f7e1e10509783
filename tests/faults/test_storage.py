"""A database that is locked or full: a page that says so, nothing sent, and no row lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser

from dashboard.models import Item
from dashboard.models.operation import State
from tests.fixtures import Watched
from tests.views.conftest import actor, on_call  # noqa: F401 - fixtures
from tests.views.operating import OPERATIONS, fill_in, form_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="it is about SQLite's file"),
]


@contextmanager
def locked() -> Iterator[None]:
    """Another process writes, and does not end; nobody waits for it longer than a moment."""
    connection.ensure_connection()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.rollback()


@contextmanager
def full() -> Iterator[None]:
    """SQLite gets no page more than it has, as on a disk that is full."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA page_count")
        [pages] = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")


@pytest.mark.parametrize("trouble", [locked, full])
def test_an_action_that_cannot_be_written_down_is_not_sent(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
    trouble: type,
) -> None:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    form = fill_in(
        actor, form_url(on_call, "send-event", instance_id), payload=f'"{"x" * 200_000}"'
    )
    actor.raise_request_exception = False

    with trouble():
        answer = actor.post(OPERATIONS, form)
        assert answer.status_code == 503
        assert "database" in answer.content.decode()
    assert on_call.sent("POST") == []

    assert actor.post(OPERATIONS, form).status_code == 302
    assert len([r for r in on_call.server.requests if r["method"] == "POST"]) == 1
    assert Item.objects.get().state in {State.DONE, State.ACCEPTED}


@pytest.mark.parametrize("trouble", [locked, full])
def test_a_sync_that_cannot_write_goes_on_where_it_stopped(watched: Watched, trouble: type) -> None:
    for number in range(300):
        watched.add("complete" if number % 2 else "errored", age=50_000 - number)

    with trouble(), pytest.raises(OperationalError):
        watched.sync()
    watched.advance(60)
    watched.sync()

    assert watched.copied() == watched.listed()
