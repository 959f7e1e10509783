"""What migrating another database than the default one makes there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from dashboard.apps import ensure_what_migrations_lose


@pytest.fixture
def other(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[BaseDatabaseWrapper]:
    """A database in memory beside the default one, which nobody may ask meanwhile."""
    own = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}}
    monkeypatch.setitem(connections.settings, "other", connections.settings["default"] | own)
    with django_db_blocker.unblock():
        yield connections["other"]
        connections["other"].close()
    del connections["other"]


def test_the_search_index_is_made_in_the_database_that_is_migrated(
    other: BaseDatabaseWrapper,
) -> None:
    with other.cursor() as cursor:
        cursor.execute("CREATE TABLE dashboard_instance (id INTEGER, instance_id TEXT)")
        cursor.execute("INSERT INTO dashboard_instance VALUES (7, 'abc-def')")

    ensure_what_migrations_lose(using="other")

    with other.cursor() as cursor:
        cursor.execute("SELECT rowid FROM search_ids WHERE search_ids MATCH '\"c-d\"'")
        assert cursor.fetchall() == [(7,)]
