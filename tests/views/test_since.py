"""The page of what has changed since a moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client

from dashboard.models import (
    CountsThen,
    Decision,
    ErrorGroup,
    ErrorGroupHour,
    Instance,
    Operation,
    User,
    WorkflowPeriod,
)
from dashboard.models.history import period_of
from tests.rows import HOSTILE, instance, minutes, version, workflow
from tests.views.test_overview import text_of
from tests.views.test_stuck import WORSE

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 3, 42, tzinfo=UTC)
AT = NOW - minutes(30)
ADDRESS = "/since/?at=2026-11-21T03:12:00"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def group(
    error: str, *seen: datetime, name: str = "orders", step: str = "charge card", **facts: Any
) -> ErrorGroup:
    """A group that one instance failed for at each of these moments."""
    made = ErrorGroup.objects.create(
        workflow=workflow(name),
        fingerprint=error,
        step_name=step,
        error_name=error,
        message="it failed",
        first_seen_on=min(seen),
        last_seen_on=max(seen),
        count=len(seen),
        **facts,
    )
    for hour in {one.replace(minute=0, second=0, microsecond=0) for one in seen}:
        inside = [one for one in seen if hour <= one < hour + timedelta(hours=1)]
        ErrorGroupHour.objects.create(
            group=made, begins_on=hour, version_id="v1", count=len(inside), last_seen_on=max(inside)
        )
    return made


def ended(name: str, at: datetime, **numbers: int) -> None:
    """What history tells of the period of this moment."""
    begins_on = period_of(at, NOW)
    WorkflowPeriod.objects.create(workflow=workflow(name), begins_on=begins_on, **numbers)


def part(html: str, section: str) -> str:
    """What one card of the page says; "" where it is not there."""
    _, _, after = html.partition(f'<section class="card" id="{section}"')
    return unescape(text_of(f"<section {after.partition('</section>')[0]}")) if after else ""


def shown(reader: Client, address: str = ADDRESS) -> str:
    response = reader.get(address)
    assert response.status_code == 200
    return response.content.decode()


def headline(html: str) -> str:
    [found] = re.findall(r'id="headline">([^<]*)<', html)
    return unescape(found)


def test_what_was_first_seen_since_is_new_and_what_fails_on_is_told_apart(reader: Client) -> None:
    group("NewError", AT + minutes(5), AT + minutes(6))
    group("BrokenError", AT - minutes(5), AT + minutes(5), name="mails")
    group("OldError", *(AT - n * DAY for n in range(8)), AT + minutes(1), name="old")

    html = shown(reader)

    assert headline(html) == (
        "1 new cause since 03:12 UTC: NewError in charge card of orders (2 instances); "
        "1 cause from before, still failing: BrokenError in charge card of mails (2 instances)."
    )
    assert "NewError: it failed" in part(html, "new")
    assert "1 other group goes on as before" in part(html, "new")
    assert "BrokenError" in part(html, "going-on")
    assert "OldError" not in headline(html) + part(html, "new") + part(html, "going-on")


def test_an_error_and_the_timeout_beside_it_are_shown_as_probably_one_cause(reader: Client) -> None:
    error = group("ProviderError", *[AT + minutes(1)] * 3)
    timeout = group("TimeoutError", AT + minutes(3))

    html = shown(reader)

    told = part(html, "new")
    assert "4 instances in charge card of orders" in told
    assert "Shown together as probably one cause" in told
    assert "began within 2 m 00 s of one another" in told
    for one in (error, timeout):
        assert f'href="{one.get_absolute_url()}"' in html


def test_what_fails_a_far_larger_share_than_in_the_week_before_is_named_as_known(
    reader: Client,
) -> None:
    known = [AT - n * DAY for n in range(1, 8)]
    group("OldError", *known, *[AT + minutes(1)] * 9)
    for days in range(1, 8):
        ended("orders", AT - days * DAY, errored=1, completed=99)
    ended("orders", AT + minutes(1), errored=9, completed=91)

    html = shown(reader)

    assert headline(html).startswith("1 known cause far more often since 03:12 UTC: OldError in")
    assert "OldError" in part(html, "grown")


def test_while_failures_from_before_are_not_read_nothing_of_their_workflow_is_sure_to_be_new(
    reader: Client,
) -> None:
    group("NewError", AT + minutes(5))
    group("Elsewhere", AT + minutes(5), name="mails")
    old = AT - minutes(50)
    instance("unread", "errored", created_on=old, modified_on=old, status_seen_at=old)

    html = shown(reader)

    assert "1 new cause since 03:12 UTC: Elsewhere in" in headline(html)
    assert "1 cause first seen since 03:12 UTC, maybe older: NewError in" in headline(html)
    assert "it may be older: failures from before are not read yet" in part(html, "new")
    assert "1 errored instance was not read yet" in text_of(html)


def test_what_is_resolved_or_ignored_is_no_cause_and_what_came_back_is_one(
    reader: Client, operator: User
) -> None:
    def said(kind: str, to: ErrorGroup, ago: timedelta) -> None:
        to.decision = Decision.objects.create(
            group=to, kind=kind, decided_by=operator, decided_at=NOW - ago, reason="known"
        )
        to.save()

    said("ignored", group("Ignored", AT + minutes(1)), minutes(9))
    said("resolved", group("Resolved", AT + minutes(1)), minutes(9))
    said("resolved", group("Back", AT - 3 * DAY, NOW - minutes(2)), 2 * DAY)

    html = shown(reader)

    assert headline(html).startswith("1 new cause since 03:12 UTC: Back in")
    assert "Regressed" in part(html, "new")
    assert "olga Ignored: Ignored: it failed of orders" in part(html, "people")
    assert part(html, "people").count("known") == 2


def test_newly_stuck_is_told_from_stuck_before(reader: Client) -> None:
    for number, late in enumerate((AT - minutes(2), AT, AT + minutes(2))):
        instance(
            f"slow-{number}",
            phase="running",
            current_step="create workspace",
            read_at=NOW,
            at_work_on=late - minutes(9),
            expected_by=late,
        )

    html = shown(reader)

    assert headline(html).endswith("; 3 stuck in create workspace of orders.")
    assert "2 since then, 1 were stuck before" in part(html, "stuck")
    assert "/instances/?q=workflow:acc1/orders%20is:stuck" in html


def test_a_version_that_appeared_says_what_version_watch_found(reader: Client) -> None:
    told = {"comparison": WORSE.as_json(), "compared_at": NOW}
    version("bad-version", created_on=AT + minutes(1), **told)
    version("fresh", of=workflow("mails"), created_on=AT - minutes(59))
    version("old", of=workflow("mails"), created_on=AT - minutes(61))

    html = shown(reader)

    assert "a new version of orders since 03:13 UTC, which does worse" in headline(html)
    assert "a new version of mails since 02:13 UTC." in headline(html)
    told = part(html, "versions")
    assert "Instances that failed 30.0 %, before 2.0 % (212 vs 1,903)" in told
    assert "fresh of mails" in told
    assert "Not compared with the version before yet." in told
    assert "old of mails" not in told
    assert HOSTILE not in html


def test_counts_then_and_now_are_told_with_their_age_and_none_is_made_up(reader: Client) -> None:
    orders = workflow(counts={"errored": 47, "complete": 5})
    workflow("mails", counts={"errored": 1})
    CountsThen.objects.note(
        orders.pk, {"errored": 12, "running": 3, "complete": 5}, AT - minutes(2)
    )
    ended("orders", AT + minutes(1), errored=35, completed=5)

    told = part(shown(reader), "counts")

    assert "Errored 12 → 47" in told
    assert "Running 3 → 0" in told
    assert "Complete" not in told
    assert "35 of 40 that ended" in told
    assert "32 min ago" in told
    assert "mails not kept then none ended" in told


def test_what_stopped_failing_is_said_once_enough_ended_to_tell(reader: Client) -> None:
    group("Gone", *[AT - minutes(40)] * 30)
    group("Rare", AT - minutes(40), name="mails")
    for name, failed in (("orders", 30), ("mails", 1)):
        ended(name, AT - minutes(40), errored=failed, completed=100 - failed)
        ended(name, NOW - minutes(10), completed=80)

    told = part(shown(reader), "better")

    assert "Gone: it failed" in told
    assert "orders fails less: 0 of the last 80 that ended, 0.0 %; in the hour before" in told
    assert "mails" not in told


def test_who_did_what_since_is_told_with_the_reason(reader: Client, operator: User) -> None:
    for reason, at in (("before", AT - minutes(1)), ("it hangs", AT)):
        asked = Operation.objects.create(
            key=f"00000000-0000-0000-0000-0000000000{at.minute:02}",
            kind="restart",
            workflow=workflow(),
            requested_by=operator,
            requested_at=at,
            reason=reason,
        )
        row = instance(f"one-{at.minute}")
        asked.items.create(
            workflow=workflow(), instance_id=row.instance_id, state="done", settled_at=NOW
        )

    html = shown(reader)

    told = part(html, "people")
    assert "olga Restart on one-12 of orders 30 min ago" in told
    assert "Done" in told
    assert "it hangs" in told
    assert "before" not in told
    assert f'href="{asked.get_absolute_url()}"' in html


def test_nothing_is_a_page_that_says_so(reader: Client) -> None:
    html = shown(reader)

    assert headline(html) == "Nothing new fails since 03:12 UTC."
    assert "Nobody has done anything here since then." in part(html, "people")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("<b>tea", "“<b>tea” is no time; write it as"),
        ("\x00\ud83d", "Null characters are not allowed."),
        ("2026-11-21T03:43", "2026-11-21 03:43 UTC has not come yet."),
        ("9999-12-31T23:59:59-23:59", "is no time; write it as"),
        ("2026-10-01", "2026-10-01 is too long ago: this page looks back 31 days."),
    ],
)
def test_a_moment_that_is_none_is_a_400_with_a_sentence(
    reader: Client, at: str, sentence: str
) -> None:
    response = reader.get("/since/", {"at": at.encode("utf-8", "surrogatepass")})

    html = response.content.decode()
    assert response.status_code == 400
    assert sentence in unescape(html)
    assert "<b>tea" not in html


def test_without_a_moment_there_is_a_form_and_a_span_leads_to_a_link_that_stays(
    reader: Client,
) -> None:
    html = shown(reader, "/since/")
    assert '<input name="at" type="datetime-local"' in html
    for span in ("15m", "1h", "8h"):
        assert f'href="?at={span}"' in html

    response = reader.get("/since/", {"at": "15m"})
    assert response.status_code == 302
    assert response.headers["Location"] == "/since/?at=2026-11-21T03:27:00"


def test_the_link_of_an_alert_and_of_the_overview_lead_here(reader: Client) -> None:
    html = shown(reader, "/since/?at=2026-11-21T03%3A12%3A00%2B00%3A00")
    assert (
        '<span class="id" id="incident-link" translate="no">'
        "http://testserver/since/?at=2026-11-21T03:12:00</span>" in html
    )
    workflow()
    overview = reader.get("/?since=2026-11-21T03:12").content.decode()
    assert 'href="/since/?at=2026-11-21T03%3A12%3A00"' in overview


def test_it_refreshes_itself_and_says_nothing_new_where_nothing_is(reader: Client) -> None:
    html = shown(reader)
    assert f'hx-get="{ADDRESS}"' in unescape(html)

    first = reader.get(ADDRESS, headers={"HX-Request": "true"})
    again = reader.get(ADDRESS, headers={"HX-Request": "true", "HX-PTag": first.headers["HX-PTag"]})
    assert "<html" not in first.content.decode()
    assert again.status_code in {204, 304}


def test_the_overview_names_the_worst_first_and_only_a_few(reader: Client) -> None:
    for number in range(7):
        group(f"Error{number}", *[NOW - minutes(9)] * (number + 1), step=f"step {number}")
    instance("slow", phase="running", current_step="hang", read_at=NOW, expected_by=AT)
    html = reader.get("/").content.decode()

    told = text_of(html.partition('aria-labelledby="broken-title"')[2].partition("</section>")[0])
    assert re.findall(r"Error\d", told) == [f"Error{n}" for n in (6, 5, 4, 3, 2)]
    assert "the worst 5 of 8:" in told
    assert "all 7 groups" in told
    Instance.objects.all().delete()
    ErrorGroup.objects.all().delete()
    cache.clear()
    assert "broken-title" not in reader.get("/").content.decode()


def test_stuck_instances_are_counted_beside_their_workflow(reader: Client) -> None:
    instance("slow", phase="running", current_step="hang", read_at=NOW, expected_by=AT)
    instance("fine", phase="running", current_step="hang", read_at=NOW, expected_by=NOW)

    html = reader.get("/").content.decode()

    figures = text_of(html.split('id="figures-')[1].split("</tr>", maxsplit=1)[0])
    assert "Stuck 1" in figures
