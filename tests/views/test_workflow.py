from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.models import Workflow, tallies
from dashboard.views import workflow as view
from tests.rows import THEN, account, instance, minutes, version, workflow
from tests.views.test_frame import inline_parts

PATH = "/accounts/acc1/workflows/orders/"
CREATE = (
    "/operations/new/?kind=create&amp;account_id=acc1&amp;workflow_name=orders"  # as HTML has it
)


def test_its_facts_versions_and_newest_instances_are_shown(reader: Client) -> None:
    orders = workflow(script_name="checkout", class_name="OrderPipeline", counts={"errored": 3})
    version(
        "version-1",
        of=orders,
        language="javascript",
        concurrency_limit=50,
        error_retention="7 days",
    )
    instance("i-1", "errored", of=orders, error_name="TypeError", error_message="no")

    html = reader.get(PATH).content.decode()

    for words in ("checkout", "OrderPipeline", "version-1", "javascript", "50", "7 days"):
        assert words in html
    assert 'title="i-1"' in html
    assert "TypeError: no" in html


def test_only_the_newest_instances_are_shown(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "NEWEST", 2)
    for number in range(3):
        instance(f"i-{number}", created_on=THEN + minutes(number))

    html = reader.get(PATH).content.decode()

    assert html.index('title="i-2"') < html.index('title="i-1"')
    assert 'title="i-0"' not in html


def test_an_unknown_workflow_is_a_404_with_a_sentence(reader: Client) -> None:
    account()

    response = reader.get(PATH)

    assert response.status_code == 404
    assert "No workflow orders is known in the account acc1." in response.content.decode()


def test_a_name_that_was_used_before_shows_todays_workflow_and_mentions_the_other(
    reader: Client,
) -> None:
    home = account()
    for cloudflare_id, class_name, gone_at in (("1", "OldClass", THEN), ("2", "NewClass", None)):
        Workflow.objects.create(
            account=home,
            name="orders",
            cloudflare_id=cloudflare_id,
            class_name=class_name,
            gone_at=gone_at,
            first_seen_at=THEN,
        )

    html = reader.get(PATH).content.decode()

    assert "NewClass" in html
    assert "OldClass" not in html
    assert "1 workflow had this name before" in html


def test_a_workflow_that_cloudflare_no_longer_has_says_so_and_offers_no_creating(
    actor: Client,
) -> None:
    workflow(gone_at=THEN)

    html = actor.get(PATH).content.decode()

    assert "Cloudflare has not listed this workflow since" in html
    assert CREATE not in html


def test_an_operator_may_create(actor: Client) -> None:
    workflow()

    html = actor.get(PATH).content.decode()

    assert f'href="{CREATE}"' in html
    assert f'href="{CREATE}&amp;is_batch=1"' in html


def test_a_viewer_sees_the_buttons_disabled_and_why(reader: Client) -> None:
    workflow()

    html = reader.get(PATH).content.decode()

    assert CREATE not in html
    assert html.count("disabled") >= 2
    assert "viewer" in html


def test_while_reading_only_nobody_may_create(actor: Client, settings: Settings) -> None:
    settings.READ_ONLY = True
    workflow()

    html = actor.get(PATH).content.decode()

    assert CREATE not in html
    assert "read-only" in html


def test_instances_over_time_and_shares_of_versions_are_shown_with_their_age(
    reader: Client,
) -> None:
    orders = workflow()
    version("v-new", of=orders, success_retention="604800000", concurrency_limit=5000)
    version("v-old", of=orders, created_on=THEN, error_retention="quite long")
    now = timezone.now()
    for number in range(4):
        instance(
            f"i-{number}",
            "errored" if number == 3 else "complete",
            of=orders,
            created_on=now - minutes(number),
            version_id="v-new" if number else "v-old",
            duration_ms=61_000,
        )
    tallies.recount(orders.pk)

    html = reader.get(PATH).content.decode()

    for words in ("75.0 %", "25.0 %", "5,000", "7 d", "quite long", "1 m 01 s", "3 complete"):
        assert words in html, words
    assert inline_parts(html) == []

    instance("later", of=orders, created_on=now)
    assert "of the newest 4 that" in reader.get(PATH).content.decode(), "counted once in a minute"


@pytest.mark.parametrize("days", ["1", "7", "31", "365"])
def test_every_period_has_a_chart(reader: Client, days: str) -> None:
    orders = workflow()
    instance("now", "complete", of=orders, created_on=timezone.now(), duration_ms=5)
    tallies.recount(orders.pk)

    html = reader.get(PATH, {"days": days}).content.decode()

    assert html.count('role="img"') == 2
    assert "1 complete" in html


@pytest.mark.parametrize("number", [1, 15])
def test_the_page_takes_as_many_queries_however_much_it_shows(
    reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    orders = workflow()
    for index in range(number):
        instance(f"i{index}", of=orders)
        version(f"v{index}", of=orders)

    with django_assert_num_queries(22):
        reader.get(PATH)
    with django_assert_num_queries(12):
        reader.get(PATH, headers={"HX-Request": "true"})
