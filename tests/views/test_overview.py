from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.cloudflare import Action
from dashboard.models import CountsThen, UncountedPast, Workflow, WorkflowPeriod
from dashboard.models.history import period_of
from tests.fixtures import Watched
from tests.rows import THEN, account, instance, minutes, version, workflow


def names(html: str) -> list[str]:
    """The workflows of the rows, in order."""
    return re.findall(r'<th class="name" scope="row">\s*<a [^>]*>([^<]*)<', html)


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
def test_the_overview_takes_22_queries_however_many_workflows_there_are(
    reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        home = workflow(f"w{index}", of=account(f"acc{index % 3}"))
        instance("one", of=home)
        version("v", of=home)

    with django_assert_num_queries(22):
        reader.get("/")


NOW = datetime(2026, 11, 21, 3, 2, tzinfo=UTC)


@pytest.fixture
def at_night() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def happened(
    name: str, ago: timedelta, *, took: dict[str, int] | None = None, **numbers: int
) -> Workflow:
    """What history tells of one period, which began so long ago."""
    home = workflow(name)
    begins_on = period_of(NOW - ago, NOW)
    WorkflowPeriod.objects.create(
        workflow=home, begins_on=begins_on, durations=took or {}, **numbers
    )
    return home


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def figures(html: str, home: Workflow) -> str:
    """What the page says of a workflow beside its counts."""
    return text_of(html.split(f'id="figures-{home.pk}"')[1].split("</tr>", maxsplit=1)[0])


@pytest.mark.usefixtures("at_night")
def test_new_failures_stand_before_old_noise_and_say_what_was_usual(reader: Client) -> None:
    noise = happened("noise", timedelta(minutes=10), errored=10, completed=90)
    happened("noise", timedelta(hours=9), errored=100, completed=900)
    broken = happened("broken", timedelta(minutes=10), errored=4, completed=4)
    happened("broken", timedelta(hours=9), completed=100)

    html = reader.get("/").content.decode()

    assert names(html)[:2] == ["broken", "noise"]
    assert "4 of 8 that ended, 50.0 %; usual 0.0 %" in figures(html, broken)
    assert "10 of 100 that ended, 10.0 %" in figures(html, noise)
    assert "usual" not in figures(html, noise)


@pytest.mark.usefixtures("at_night")
def test_bars_tell_each_of_the_last_24_hours_also_in_words(reader: Client) -> None:
    happened("orders", timedelta(minutes=1), errored=3, completed=2)
    happened("orders", timedelta(hours=3), errored=7)
    happened("orders", timedelta(hours=25), errored=99)

    html = reader.get("/").content.decode()

    zeros = ", ".join(["0"] * 20)
    assert f"the oldest first: {zeros}, 7, 0, 0, 3. Most, 7, from 00:00 UTC" in html
    assert "Ended in each of the last 24 hours" in html
    [path] = re.findall(r'<path data-status="errored" d="([^"]+)"', html)
    assert path == "M100 24v-24.0h4V24zM115 24v-10.3h4V24z"


@pytest.mark.usefixtures("at_night")
def test_durations_are_compared_with_the_week_before_only_where_enough_completed(
    reader: Client,
) -> None:
    week = timedelta(days=7, hours=2)
    many = happened("many", timedelta(hours=2), completed=40, took={"1000": 38, "9000": 2})
    happened("many", week, completed=30, took={"500": 30})
    few = happened("few", timedelta(hours=2), completed=40, took={"1000": 40})
    happened("few", week, completed=3, took={"500": 3})

    html = reader.get("/").content.decode()

    assert "p50 1 s, p95 1 s n 40; a week before 500 ms, 500 ms n 30" in figures(html, many)
    assert "p50 1 s, p95 1 s n 40; too few to compare" in figures(html, few)


@pytest.mark.usefixtures("at_night")
def test_since_a_moment_each_count_says_what_it_was_then(reader: Client) -> None:
    orders = workflow(counts={"errored": 47, "complete": 5})
    CountsThen.objects.note(orders.pk, {"errored": 12, "running": 3}, NOW - timedelta(hours=3))
    CountsThen.objects.note(orders.pk, {"errored": 47, "complete": 5}, NOW - minutes(20))
    happened("orders", minutes(40), errored=35)
    happened("orders", minutes(80), errored=6)

    html = reader.get("/?since=1h").content.decode()

    assert "Errored: 12 then, 47 now" in html
    assert "Complete: 0 then, 5 now" in html
    assert "35 of 35 that ended" in figures(html, orders)
    assert "lately is since 2026-11-21 02:00:00 UTC" in text_of(html)
    assert 'hx-get="/?since=1h"' in html
    assert "?since=2026-11-21T02%3A02%3A00" in html
    later = reader.get("/?since=15m").content.decode()
    assert " then, " not in later


@pytest.mark.usefixtures("at_night")
def test_counts_that_were_not_kept_then_are_not_made_up(reader: Client) -> None:
    orders, mails = workflow(counts={"errored": 47}), workflow("mails", counts={"errored": 1})

    html = reader.get("/?since=1h").content.decode()
    assert " then, " not in html
    assert "What Cloudflare counted then was not kept" in html

    CountsThen.objects.note(mails.pk, {"errored": 1}, NOW - timedelta(hours=3))
    html = reader.get("/?since=1h").content.decode()
    assert "Counts then not kept" in figures(html, orders)
    assert "Counts then" not in figures(html, mails)
    assert " then, " not in html


@pytest.mark.usefixtures("at_night")
def test_a_moment_that_is_none_is_a_400_with_a_sentence_and_keeps_what_was_typed(
    reader: Client,
) -> None:
    workflow(counts={"errored": 47})

    response = reader.get("/", {"since": "<b>tea time"})

    html = response.content.decode()
    assert response.status_code == 400
    assert "is no time; write it as 2026-11-20T03:00 (UTC)" in html
    assert 'value="&lt;b&gt;tea time"' in html
    assert 'hx-get="/"' in html
    assert ">47<" in html


@pytest.mark.usefixtures("at_night")
def test_who_waits_for_an_event_and_who_was_forgotten_are_counted(reader: Client) -> None:
    orders = workflow()
    for one in range(3):
        instance(f"w{one}", "waiting", phase="waiting-for-event")
    old, young = NOW - timedelta(days=3), NOW - timedelta(hours=3)
    instance("forgotten", "paused", created_on=old, status_seen_at=old)
    instance("just-paused", "paused", created_on=old, status_seen_at=old, modified_on=young)
    instance("expired", "paused", created_on=old, status_seen_at=old, expired_at=young)

    told = figures(reader.get("/").content.decode(), orders)

    assert "Waiting for an event 3" in told
    assert "Paused over a day 1" in told


@pytest.mark.usefixtures("at_night")
def test_what_cloudflare_deletes_within_a_day_is_told_from_the_retention_of_the_versions(
    reader: Client,
) -> None:
    orders = workflow()
    version("v1", of=orders, success_retention="7 days", error_retention="30 days")
    for days, facts in (
        (6.5, {"completed": 40, "errored": 5}),
        (5.5, {"completed": 100}),
        (29.5, {"completed": 1_000, "errored": 2}),
    ):
        WorkflowPeriod.objects.create(
            workflow=orders,
            version_id="v1",
            begins_on=period_of(NOW - timedelta(days=days), NOW),
            **facts,
        )

    assert "deletes in 24 h about 42" in figures(reader.get("/").content.decode(), orders)


@pytest.mark.usefixtures("at_night")
def test_while_the_past_is_being_counted_the_page_says_since_when_history_is_whole(
    reader: Client,
) -> None:
    workflow()
    assert "History since" not in reader.get("/").content.decode()
    UncountedPast.objects.create(began_at=THEN, last_pk=9)

    assert "History since 2026-11-20 03:00:00 UTC" in text_of(reader.get("/").content.decode())


@pytest.mark.usefixtures("at_night")
def test_of_many_workflows_the_worst_are_shown_and_the_others_are_a_page_away(
    reader: Client,
) -> None:
    for number in range(60):
        workflow(f"w{number:02}", counts={"errored": number})

    html = reader.get("/?since=1h").content.decode()
    assert names(html)[0] == "w59"
    assert len(names(html)) == 20
    assert "All 60 workflows" in html
    [address] = re.findall(r'href="([^"]+)">Next<', html)

    html = reader.get(address.replace("&amp;", "&")).content.decode()
    assert names(html) == [f"w{number:02}" for number in range(39, 19, -1)]
    assert "since=1h" in html
    assert names(reader.get("/?page=99999").content.decode()) == []
    assert reader.get("/?page=x").status_code == 200


def test_the_page_tells_what_the_account_knows(on_call: Watched, reader: Client) -> None:
    for number in range(4):
        on_call.add("errored", age=600 + number)
    on_call.add("complete", age=600)
    on_call.sync()
    waiting = on_call.add("waiting-for-event", age=900)
    on_call.sync()
    on_call.client.change_instance_status("orders", waiting, Action.TERMINATE)
    on_call.advance(30)
    on_call.sync()
    html = reader.get("/").content.decode()

    told = figures(html, on_call.workflow())
    truth = on_call.server.world.workflows["orders"].counts(on_call.server.world.now)
    assert truth == {"errored": 4, "complete": 1, "terminated": 1}
    assert "4 of 6 that ended" in told
    assert "Failures, 24 h 4" in told
    assert "Ended, 24 h 6" in told
