from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.rows import THEN, account, instance, version, workflow


def names(html: str) -> list[str]:
    """The workflows of the rows, in order."""
    return re.findall(r'<th class="name" scope="row">\s*<a [^>]*>([^<]*)<', html)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


def test_workflows_stand_worst_first_and_the_gone_ones_last(reader: Client) -> None:
    workflow("calm", counts={"complete": 9})
    workflow("busy", counts={"running": 5, "complete": 1})
    workflow("broken", counts={"errored": 2})
    workflow("worst", counts={"errored": 30})
    workflow("gone", counts={"errored": 99}, gone_at=THEN)

    assert names(reader.get("/").content.decode()) == ["worst", "broken", "busy", "calm", "gone"]


def test_cloudflares_own_counts_are_shown_with_their_age_and_lead_into_the_list(
    reader: Client,
) -> None:
    workflow(
        counts={"errored": 1204, "hibernating": 2},
        counted_at=timezone.now() - timedelta(seconds=3),
    )
    instance(status="errored")

    html = reader.get("/").content.decode()

    assert "1,204" in html
    assert 'href="/instances/?q=workflow:acc1/orders%20status:errored"' in html
    assert 'data-status="hibernating"' in html
    assert re.search(r"Cloudflare's own count\"><time [^>]*>3 s ago", html)


def test_where_cloudflare_counts_nothing_the_synced_instances_are_counted_and_it_says_so(
    reader: Client,
) -> None:
    instance("a", "errored")
    instance("b", "errored")

    html = reader.get("/").content.decode()

    assert '<span class="number">2</span>' in html
    assert "as synced" in html


def test_what_is_wrong_with_a_workflow_is_said_in_its_row(reader: Client) -> None:
    workflow("a", gone_at=THEN)
    workflow("b", is_script_deleted=True)
    workflow("c", sync_error="No field `result`.")

    html = reader.get("/").content.decode()

    assert "gone, kept here" in html
    assert "script deleted" in html
    assert "No field `result`." in html


def test_script_class_trigger_versions_and_schedules_are_shown(reader: Client) -> None:
    orders = workflow(
        script_name="checkout",
        class_name="OrderPipeline",
        triggered_on=timezone.now() - timedelta(minutes=5),
        schedules=[
            {
                "cron": "*/30 * * * *",
                "next_instance": (timezone.now() + timedelta(minutes=12, seconds=30)).isoformat(),
            }
        ],
    )
    version("old-version", of=orders, created_on=THEN)
    version("new-version", of=orders, created_on=THEN + timedelta(days=1))

    html = reader.get("/").content.decode()

    for words in ("checkout / OrderPipeline", "5 min ago", "*/30 * * * *", "in 12 min"):
        assert words in html
    assert 'title="new-version"' in html
    assert "of 2" in html


def test_one_account_shows_only_its_own(reader: Client) -> None:
    workflow("mine")
    workflow("theirs", of=account("acc2"))

    assert names(reader.get("/accounts/acc1/workflows/").content.decode()) == ["mine"]


def test_an_account_nobody_watches_is_a_404_with_a_sentence(reader: Client) -> None:
    response = reader.get("/accounts/acc9/workflows/")

    assert response.status_code == 404
    assert "No account acc9 is watched here." in response.content.decode()


def test_an_account_that_waits_for_its_first_sync_has_a_page(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")

    response = reader.get("/accounts/acc1/workflows/")

    assert response.status_code == 200
    assert "Nothing has been synced yet" in response.content.decode()


def test_an_account_without_workflows_says_as_of_when(reader: Client) -> None:
    account(synced_at=THEN)

    assert "This account has no workflows" in reader.get("/").content.decode()


@pytest.mark.parametrize("number", [1, 12])
def test_the_overview_takes_sixteen_queries_however_many_workflows_there_are(
    reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        home = workflow(f"w{index}", of=account(f"acc{index % 3}"))
        instance("one", of=home)
        version("v", of=home)

    with django_assert_num_queries(16):
        reader.get("/")
