from __future__ import annotations

import html as markup
import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.models import Instance, InstanceDetail, User
from tests.rows import HOSTILE, THEN, instance, minutes, version
from tests.views.test_instances import REFRESH, text

DEFAULT = [
    "Status", "Instance", "Workflow", "Phase and step", "Error and remarks", "Created", "Duration",
    "Kept until",
]  # fmt: skip


def shown(reader: Client, query: str = "", status: int = 200) -> str:
    response = reader.get(f"/instances/?{query}")
    assert response.status_code == status
    return response.content.decode()


def titles(html: str) -> list[str]:
    found = re.findall(r'<th class="c-[^"]*"[^>]*>(.*?)</th>', html)
    return [text(head).strip() for head in found]


def cell(html: str, css: str) -> str:
    """The text of the first cell of a kind."""
    [found] = re.findall(rf'<t[dh] class="{css}(?: none)?"[^>]*>(.*?)</t[dh]>', html, re.S)[:1]
    return text(found).strip()


def detail_of(row: Instance, **result: object) -> None:
    body = InstanceDetail.pack({"status": row.status, "steps": [], **result})
    InstanceDetail.objects.create(instance=row, read_at=THEN, outputs_are_text=False, body=body)


class TestChoosing:
    @pytest.fixture(autouse=True)
    def _row(self, db: None) -> None:
        instance("one")

    def test_without_a_choice_the_usual_columns_are_shown(self, reader: Client) -> None:
        assert titles(shown(reader)) == DEFAULT

    def test_the_columns_of_the_address_are_shown_in_its_order(self, reader: Client) -> None:
        html = shown(reader, "columns=version,instance,trigger")

        assert titles(html) == ["Version", "Instance", "Trigger"]

    @pytest.mark.parametrize(
        ("sent", "address"),
        [
            ("columns=instance&columns=status", "?columns=instance,status"),
            ("columns=instance&columns=&columns=params.id", "?columns=instance,params.id"),
            ("columns=status,instance,workflow,doing,error,created,duration&columns=kept", ""),
            ("columns=instance,status&earlier=status&q=x",
             "?q=x&columns=status,instance&arranging=1"),
            ("columns=instance,status&earlier=instance", "?columns=instance,status&arranging=1"),
        ],
    )  # fmt: skip
    def test_what_the_form_sends_becomes_one_short_address(
        self, reader: Client, sent: str, address: str
    ) -> None:
        response = reader.get(f"/instances/?{sent}")

        assert response.status_code == 302
        assert response["Location"] == f"/instances/{address}"
        assert reader.get(response["Location"]).status_code == 200

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("columns=status,nonsense", "“nonsense” is no column"),
            ("columns=params.%3Cb%3E", "“params.<b>” is no column"),
            ("columns=" + "x" * 5000, "is no column"),
            ("columns=params.a,params.b,params.c,output.d,output.e", "At most 4 columns"),
            ("density=tiny", "“tiny” is no density"),
        ],
    )
    def test_what_is_no_column_is_said_and_the_rest_stays(
        self, reader: Client, query: str, sentence: str
    ) -> None:
        html = shown(reader, query, status=400)

        assert sentence in text(html)
        assert "one" in text(html)

    def test_a_refresh_answers_even_where_the_columns_could_not_be_read(
        self, reader: Client
    ) -> None:
        response = reader.get("/instances/?columns=status,nonsense", headers=REFRESH)

        assert response.status_code == 200

    def test_columns_stay_from_page_to_page_and_with_every_link(self, reader: Client) -> None:
        html = shown(reader, "columns=instance,started&density=comfortable&q=one")

        assert 'data-density="comfortable"' in html
        for href in re.findall(r'<a class="chip" [^>]*href="([^"]*)"', html):
            assert "columns=instance,started" in href
            assert "density=comfortable" in href


class TestCells:
    def test_where_an_instance_stands_is_told_from_its_row_alone(self, reader: Client) -> None:
        now = timezone.now()
        instance(
            "waits", "waiting", phase="sleeping", current_step="nap", read_at=now,
            due_on=now + timedelta(hours=3, seconds=5),
        )  # fmt: skip

        html = shown(reader)

        assert cell(html, "doing") == "Sleeping nap in 3 h"
        assert "Sleeping in “nap”, as read" in html

    def test_what_was_due_since_it_was_read_is_not_called_stuck(self, reader: Client) -> None:
        now = timezone.now()
        due = now - timedelta(minutes=12, seconds=5)
        instance("waits", "waiting", phase="retrying", current_step="charge", attempts=3,
                 due_on=due, expected_by=due + minutes(5), read_at=due)  # fmt: skip

        assert cell(shown(reader), "doing") == "Retrying charge ×3 tried was due 12 min ago"

    def test_what_is_stuck_says_so_with_the_reason(self, reader: Client) -> None:
        now = timezone.now()
        due = now - timedelta(minutes=12)
        instance("waits", "waiting", phase="retrying", current_step="charge", attempts=3,
                 due_on=due, expected_by=due + minutes(5), read_at=now)  # fmt: skip

        html = shown(reader)

        assert cell(html, "doing") == "Retrying charge ×3 tried stuck"
        assert cell(html, "error") == "due 12 m ago"
        assert "Retrying “charge”; the next attempt was due 12 m ago" in html
        assert cell(shown(reader, "columns=attempts"), "short") == "3"

    @pytest.mark.parametrize(
        ("status", "kept"), [("complete", "in 2 d"), ("errored", "in 6 h"), ("terminated", "–")]
    )
    def test_until_when_cloudflare_keeps_it_is_told_by_its_version(
        self, reader: Client, viewer: User, status: str, kept: str
    ) -> None:
        version("v1", success_retention="259200000", error_retention="1 day")
        instance("over", status, version_id="v1", ended_on=THEN)

        with time_machine.travel(THEN + timedelta(hours=17, minutes=59), tick=False):
            reader.force_login(viewer)
            assert cell(shown(reader, "columns=kept"), "time") == kept

    def test_a_payload_column_shows_what_stands_there(self, reader: Client) -> None:
        held = instance("held", created_on=THEN + minutes(1))
        detail_of(held, params={"customer": {"id": HOSTILE}, "items": [{"n": 7}]})
        instance("not-held")

        html = shown(reader, "columns=instance,params.customer.id,params.items[0].n,output.total")

        found = re.findall(r'<td class="payload.*?</td>', html, re.S)
        cells = [markup.unescape(re.sub("<[^>]*>", "", one)) for one in found]
        assert cells[0].startswith("<script>alert(1)")
        assert cells[1:] == ["7", "–", "–", "–", "–"]
        assert HOSTILE not in html

    def test_details_are_read_for_payload_columns_only(
        self, reader: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for place in range(5):
            detail_of(instance(f"i{place}"), params={"id": place})

        with django_assert_num_queries(8):
            shown(reader)
        with django_assert_num_queries(9):
            shown(reader, "columns=instance,params.id,output.x")
