from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper

from dashboard.models import Instance, InstanceDetail, SearchText, search_index
from dashboard.models.filters import AnyOf, Contains
from dashboard.models.search_text import searchable
from tests.fixtures import Watched
from tests.insight.details import attempt, detail, running, step
from tests.rows import instance, workflow

pytestmark = pytest.mark.django_db


def found(text: str, *places: str, limit: int = 10) -> set[str] | None:
    keys = search_index.found(Contains(text, places or Contains.ANYWHERE), limit)
    if keys is None:
        return None
    return set(Instance.objects.filter(pk__in=keys).values_list("instance_id", flat=True))


@pytest.mark.parametrize("text", ["bcd", "BCD", "cde-f", "%-100", "\\_x", '"quo', "öl-Ü"])
def test_any_part_of_an_id_is_found_whatever_is_written_in_it(text: str) -> None:
    instance('abcde-f%-100\\_x"quoted"öl-Üx')
    instance("other-100")

    assert found(text) == {'abcde-f%-100\\_x"quoted"öl-Üx'}


def test_an_id_that_changes_or_goes_is_no_longer_found() -> None:
    row = instance("before-1")
    row.instance_id = "after-1"
    row.save()
    assert found("before") == set()
    assert found("after") == {"after-1"}

    Instance.objects.all().delete()

    assert found("after") == set()


def test_more_than_few_and_too_short_texts_are_left_to_reading_in_order() -> None:
    for number in range(4):
        instance(f"same-{number}")

    assert found("same", limit=3) is None
    assert found("sa") is None
    assert search_index.found(AnyOf((Contains("sam", ("instance_id",)),) * 2), 3) is None


def test_a_text_is_looked_for_in_its_own_places_only() -> None:
    row = instance("one")
    SearchText.objects.create(instance=row, error="Boom: refused", steps="charge", body="customer")

    assert found("refused", "error") == {"one"}
    assert found("refused", "steps", "body") == set()
    assert found("charge", "steps") == {"one"}
    assert found("customer") == {"one"}


def test_what_can_be_searched_is_bounded_and_storable() -> None:
    steps = [step(f"step-{number}", attempt(0, 1)) for number in range(2000)]
    told = detail(running(*steps, params={"customer": "c-1\x00\ud800"}, output="x" * 30_000))

    texts = searchable(told)

    assert sum(map(len, texts.values())) <= 20_000
    assert "c-1" in texts["body"]
    assert "\x00" not in texts["body"]
    assert texts["steps"].startswith("step-0\nstep-1\n")


def test_a_detail_that_was_read_can_be_searched_and_an_old_error_no_longer(
    watched: Watched,
) -> None:
    from dashboard.sync.reading import read_instance

    id_ = watched.add("errored")
    watched.sync()
    read_instance(watched.client, watched.workflow(), id_, now=watched.clock())
    row = watched.row(id_)
    assert row.error_message
    [kept] = SearchText.objects.all()

    assert found(row.error_message[:20], "error") == {id_}
    assert found(kept.steps.partition("\n")[0], "steps") == {id_}


@pytest.mark.django_db(transaction=True)
def test_the_indexes_are_made_again_where_they_were_lost() -> None:
    instance("known")
    with connection.cursor() as cursor:
        for index in search_index.INDEXES:
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER {index.name}_learn")
            else:
                cursor.execute(f"DROP INDEX {index.name}")

    search_index.ensure()
    search_index.ensure()
    instance("known-too")

    assert found("known") == {"known", "known-too"}


def test_without_the_right_to_create_the_extension_the_log_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """SQLite needs no extension: there nothing is said."""
    execute = CursorWrapper.execute

    def refused(self: CursorWrapper, statement: str, *arguments: object) -> object:
        if "CREATE EXTENSION" in statement:
            raise OperationalError('permission denied to create extension "pg_trgm"')
        return execute(self, statement, *arguments)

    monkeypatch.setattr(CursorWrapper, "execute", refused)
    with caplog.at_level(logging.WARNING):
        search_index.ensure()

    says = 'run "CREATE EXTENSION pg_trgm" here, then migrate again' in caplog.text
    assert says == (connection.vendor == "postgresql")


def test_what_is_held_already_is_made_searchable_by_the_migration() -> None:
    from importlib import import_module

    from django.apps import apps
    from django.utils import timezone

    row = instance("old", of=workflow())
    result = {"status": "errored", "error": {"name": "Boom", "message": "refused"}, "steps": []}
    InstanceDetail.objects.create(
        instance=row,
        read_at=timezone.now(),
        outputs_are_text=True,
        body=InstanceDetail.pack(result),
    )

    import_module("dashboard.migrations.0008_search").fill(
        apps, SimpleNamespace(connection=connection)
    )

    assert found("refused", "error") == {"old"}
