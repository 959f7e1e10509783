from __future__ import annotations

import html as markup
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from dashboard.models import Instance
from dashboard.views import listing
from tests.rows import THEN, account, instance, minutes, workflow

REFRESH = {"HX-Request": "true"}


def ids(html: str) -> list[str]:
    """The instances of the rows, in order."""
    return [
        markup.unescape(found)
        for found in re.findall(r'<a class="id" href="[^"]*" title="([^"]*)"', html)
    ]


def listed(reader: Client, query: str = "", status: int = 200) -> list[str]:
    response = reader.get(f"/instances/?{query}")
    assert response.status_code == status
    return ids(response.content.decode())


def text(html: str) -> str:
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]+>", " ", html)))


def link(html: str, words: str) -> str:
    """The address of the link whose text has these words."""
    for href, inner in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', html, re.S):
        if words in text(inner):
            return markup.unescape(href)
    raise AssertionError(f"no link {words!r}")


class TestFilters:
    @pytest.fixture(autouse=True)
    def _rows(self, db: None) -> None:
        other = workflow("invoices", of=account("acc2"))
        instance("a-errored", "errored", trigger="api", version_id="aaa1", started_on=THEN)
        instance(
            "b-running", "running", trigger="cron", version_id="bbb2", created_on=THEN + minutes(1)
        )
        instance(
            "c-errored",
            "errored",
            of=other,
            version_id="aaa2",
            created_on=THEN + minutes(2),
            ended_on=THEN + minutes(9),
        )
        instance("d-hibernating", "hibernating", created_on=THEN + minutes(3))

    def test_without_filters_all_accounts_are_listed_newest_first(self, reader: Client) -> None:
        assert listed(reader) == ["d-hibernating", "c-errored", "b-running", "a-errored"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("status=errored", ["c-errored", "a-errored"]),
            ("status=errored&status=running", ["c-errored", "b-running", "a-errored"]),
            ("status=hibernating", ["d-hibernating"]),
            ("workflow=acc2/invoices", ["c-errored"]),
            ("workflow=acc2/invoices&workflow=acc1/orders&status=running", ["b-running"]),
            ("workflow=acc1/invoices", []),
            ("account=acc2", ["c-errored"]),
            ("trigger=cron", ["b-running"]),
            ("trigger=cron&trigger=api", ["b-running", "a-errored"]),
            ("version=aaa", ["c-errored", "a-errored"]),
            ("version=aaa2", ["c-errored"]),
            ("q=RUN", ["b-running"]),
            ("q=-err", ["c-errored", "a-errored"]),
            ("q=%25", []),
            ("from=2026-11-20T03:02", ["d-hibernating", "c-errored"]),
            ("from=2026-11-20T03:01&to=2026-11-20T03:03Z", ["c-errored", "b-running"]),
            ("to=2026-11-20T04:01%2B01:00", ["a-errored"]),
            ("time=started&from=2026-11-20", ["a-errored"]),
            ("time=ended&from=2026-11-20T03:05", ["c-errored"]),
        ],
    )
    def test_a_filter_narrows_the_list(
        self, reader: Client, query: str, expected: list[str]
    ) -> None:
        assert listed(reader, query) == expected

    def test_a_relative_time_is_told_from_now(self, reader: Client) -> None:
        with time_machine.travel(THEN + minutes(12), tick=False):
            assert listed(reader, "since=10m") == ["d-hibernating", "c-errored"]
            assert listed(reader, "since=1h") == listed(reader)

    def test_a_status_nobody_knows_yet_is_listed_and_counted_under_its_own_name(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/").content.decode()

        assert 'data-status="hibernating"' in html
        assert listed(reader, link(html, "1 hibernating").partition("?")[2]) == ["d-hibernating"]

    def test_the_chips_count_what_fits_the_other_filters(self, reader: Client) -> None:
        html = reader.get("/instances/?status=running&account=acc2").content.decode()

        assert "1 Errored" in text(html)
        assert "0 Running" in text(html)
        assert "1 All" in text(html)

    def test_a_chip_adds_its_status_and_takes_it_back_and_keeps_the_rest(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/?status=running&q=e&after=").content.decode()
        html = reader.get("/instances/?status=running&q=err").content.decode()

        assert link(html, "Errored") == "/instances/?status=running&status=errored&q=err"
        assert link(html, "Running") == "/instances/?q=err"

    def test_a_form_that_was_sent_with_empty_fields_gets_a_short_address(
        self, reader: Client
    ) -> None:
        response = reader.get(
            "/instances/?q=&version=&status=errored&since=&workflow=acc2/invoices"
        )

        assert response.status_code == 302
        assert response["Location"] == "/instances/?status=errored&workflow=acc2/invoices"

    def test_what_was_chosen_stands_in_the_form_again(self, reader: Client) -> None:
        html = reader.get(
            "/instances/?status=errored&workflow=acc2/invoices&version=aaa&q=c%22&since=6h"
            "&time=ended&trigger=unknown&sort=duration"
        ).content.decode()

        assert '<input type="hidden" name="status" value="errored">' in html
        assert re.search(r'value="acc2/invoices"\s+checked', html)
        assert 'value="aaa"' in html
        assert 'value="c&quot;"' in html
        assert re.search(r'<option value="6h"\s+selected', html)
        assert re.search(r'<option value="ended"\s+selected', html)
        assert re.search(r'value="unknown"\s+checked', html)
        assert '<input type="hidden" name="sort" value="duration">' in html

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("since=7x", "“7x” is no length of time; write 15m, 1h, 7d or 2w."),
            ("since=999999w", "“999999w” is no length of time"),
            ("from=yesterday", "“yesterday” is no time; write it as 2026-11-20T03:00 (UTC)."),
            ("to=0001-01-01T00:00%2B23:00", "is no time"),
            ("from=2026-11-20T03:00&to=2026-11-20T02:00", "The range ends before it begins."),
            ("since=1h&from=2026-11-20", "Choose a relative time or a range, not both."),
            ("time=finished", "“finished” is none of the times: created, started, ended."),
            ("workflow=invoices", "“invoices” names no workflow"),
            ("sort=name", "“name” is none of the orders: created, started, ended, duration."),
            ("after=nonsense", "This link's place in the list cannot be read"),
            ("before=WzFd", "This link's place in the list cannot be read"),
            ("after=%F0%9F%98%80", "This link's place in the list cannot be read"),
            ("shown=1.x", "The rows to refresh cannot be read."),
            ("status=a%00b", "Null characters are not allowed."),
            ("q=a%00b", "Null characters are not allowed."),
            ("status=" + "x" * 40, "is too long to be one."),
            ("version=" + "x" * 99, "at most 64 characters"),
        ],
    )
    def test_a_bad_value_is_a_400_with_a_sentence_and_the_other_filters_stay(
        self, reader: Client, query: str, sentence: str
    ) -> None:
        response = reader.get(f"/instances/?account=acc2&{query}")

        html = response.content.decode()
        assert response.status_code == 400
        assert sentence in text(html)
        assert ids(html) in (["c-errored"], [])
        assert '<input type="hidden" name="account" value="acc2">' in html

    @pytest.mark.parametrize(
        ("query", "kept"),
        [
            ("since=7x", '<option value="7x" selected'),
            ("from=yesterday", 'name="from" value="yesterday"'),
            ("version=" + "x" * 99, "x" * 99),
            ("workflow=invoices", 'value="invoices" checked'),
        ],
    )
    def test_a_bad_value_is_kept_where_it_can_be_mended(
        self, reader: Client, query: str, kept: str
    ) -> None:
        html = reader.get(f"/instances/?{query}").content.decode()

        assert kept in re.sub(r"\s+", " ", html)


class TestRows:
    def test_an_error_is_told_by_name_and_first_line(self, reader: Client) -> None:
        instance("one", "errored", error_name="TypeError", error_message="no\nstack line")

        html = reader.get("/instances/").content.decode()

        assert "TypeError: no" in html
        assert "stack line" not in html

    def test_a_long_id_is_shortened_in_the_middle_and_whole_in_its_title(
        self, reader: Client
    ) -> None:
        instance("begin-" + "x" * 260 + "-end")

        html = reader.get("/instances/").content.decode()

        assert re.search(r">begin-x+…x+-end<", html)
        assert listed(reader) == ["begin-" + "x" * 260 + "-end"]

    def test_an_id_of_a_cron_trigger_links_to_its_page(self, reader: Client) -> None:
        row = instance("*/30 * * * *-1786001400000")

        assert row.get_absolute_url() in markup.unescape(reader.get("/instances/").content.decode())

    def test_an_instance_that_goes_on_ticks_and_one_that_ended_does_not(
        self, reader: Client
    ) -> None:
        instance("on", "running", started_on=THEN)
        instance("over", "complete", started_on=THEN, ended_on=THEN, duration_ms=340)

        html = reader.get("/instances/").content.decode()

        assert html.count("data-elapsed") == 1
        assert "340 ms" in html

    def test_an_instance_that_cloudflare_no_longer_has_is_marked(self, reader: Client) -> None:
        instance("gone", "running", started_on=THEN, expired_at=THEN)

        html = reader.get("/instances/").content.decode()

        assert "gone, kept here" in html
        assert "data-elapsed" not in html

    def test_restarts_are_counted(self, reader: Client) -> None:
        instance("again", generation=3)

        assert "restarted ×2" in text(reader.get("/instances/").content.decode())


class TestSorting:
    @pytest.fixture(autouse=True)
    def _rows(self, db: None) -> None:
        instance("short", "complete", duration_ms=5, started_on=THEN, ended_on=THEN + minutes(3))
        instance("long", "complete", duration_ms=900, created_on=THEN + minutes(1), ended_on=THEN)
        instance("going", "running", created_on=THEN + minutes(2), started_on=THEN + minutes(2))

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("created", ["short", "long", "going"]),
            ("-created", ["going", "long", "short"]),
            ("started", ["short", "going", "long"]),
            ("-started", ["going", "short", "long"]),
            ("ended", ["long", "short", "going"]),
            ("-ended", ["short", "long", "going"]),
            ("duration", ["short", "long", "going"]),
            ("-duration", ["long", "short", "going"]),
        ],
    )
    def test_what_has_no_value_stands_last(
        self, reader: Client, sort: str, expected: list[str]
    ) -> None:
        assert listed(reader, f"sort={sort}") == expected

    def test_a_heading_sorts_from_the_top_and_then_the_other_way_round(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/?status=complete").content.decode()
        assert 'aria-sort="descending"' in html

        down = link(html, "Duration")
        assert listed(reader, down.partition("?")[2]) == ["long", "short"]
        up = link(reader.get(down).content.decode(), "Duration")
        assert listed(reader, up.partition("?")[2]) == ["short", "long"]


class TestPaging:
    @pytest.fixture(autouse=True)
    def _three_to_a_page(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listing, "PAGE_SIZE", 3)
        for number in range(7):
            instance(f"i{number}", created_on=THEN + minutes(number))

    def test_the_links_walk_forth_and_back_through_all(self, reader: Client) -> None:
        first = reader.get("/instances/").content.decode()
        second = reader.get(link(first, "Next")).content.decode()
        third = reader.get(link(second, "Next")).content.decode()

        assert ids(first) + ids(second) + ids(third) == [f"i{n}" for n in range(6, -1, -1)]
        assert "Next" not in third
        assert "Previous" not in first
        assert ids(reader.get(link(third, "Previous")).content.decode()) == ids(second)

    def test_new_instances_do_not_move_the_next_page(self, reader: Client) -> None:
        onward = link(reader.get("/instances/").content.decode(), "Next")
        instance("new", created_on=THEN + minutes(99))

        assert ids(reader.get(onward).content.decode()) == ["i3", "i2", "i1"]

    def test_another_order_begins_at_its_start(self, reader: Client) -> None:
        onward = link(reader.get("/instances/").content.decode(), "Next")

        assert "after" not in link(reader.get(onward).content.decode(), "Duration")


class TestRefreshing:
    @staticmethod
    def refresh(reader: Client, html: str) -> str:
        found = re.search(r'id="rows".*?hx-get="([^"]*)"', html, re.S)
        assert found
        response = reader.get(markup.unescape(found[1]), headers=REFRESH)
        assert response.status_code == 200
        return response.content.decode()

    def test_the_same_rows_are_read_again_in_the_same_order(self, reader: Client) -> None:
        for number in range(3):
            instance(f"i{number}", created_on=THEN + minutes(number))
        before = reader.get("/instances/").content.decode()
        Instance.objects.filter(instance_id="i1").update(status="errored")

        after = self.refresh(reader, before)

        assert ids(after) == ids(before) == ["i2", "i1", "i0"]
        assert 'data-status="errored"' in after

    def test_new_ones_are_counted_and_do_not_push_rows_away(self, reader: Client) -> None:
        instance("old")
        before = reader.get("/instances/").content.decode()
        instance("newer", created_on=THEN + minutes(1))
        instance("newest", created_on=THEN + minutes(2))

        after = self.refresh(reader, before)

        assert ids(after) == ["old"]
        assert listed(reader, link(after, "2 new: show").partition("?")[2]) == [
            "newest",
            "newer",
            "old",
        ]

    def test_a_row_that_no_longer_fits_stays_and_says_so(self, reader: Client) -> None:
        row = instance("one", "running")
        before = reader.get("/instances/?status=running").content.decode()
        row.status = "complete"
        row.save()

        after = self.refresh(reader, before)

        assert ids(after) == ["one"]
        assert "no longer matches" in after

    def test_rows_of_later_pages_are_not_taken_for_new(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "PAGE_SIZE", 2)
        for number in range(5):
            instance(f"i{number}", created_on=THEN + minutes(number))

        first = reader.get("/instances/").content.decode()
        second = reader.get(link(first, "Next")).content.decode()

        assert "new: show" not in self.refresh(reader, first)
        assert "new: show" not in self.refresh(reader, second)
        assert "new: show" not in self.refresh(reader, self.refresh(reader, first))

    def test_a_page_with_a_bad_value_is_refreshed_without_it(self, reader: Client) -> None:
        instance("one", "errored")
        before = reader.get("/instances/?status=errored&since=7x&after=x").content.decode()

        assert ids(self.refresh(reader, before)) == ["one"]

    def test_an_empty_list_fills_by_itself(self, reader: Client) -> None:
        before = reader.get("/instances/").content.decode()
        instance("first")

        assert ids(self.refresh(reader, before)) == ["first"]


class TestNothingToShow:
    def test_filters_that_nothing_fits_can_be_cleared(self, reader: Client) -> None:
        instance("one")

        html = reader.get("/instances/?status=errored").content.decode()

        assert "No instance fits these filters" in html
        assert link(html, "Clear filters") == "/instances/"

    def test_an_empty_time_range_can_be_widened(self, reader: Client) -> None:
        instance("one", created_on=timezone.now() - timedelta(days=2))

        html = reader.get("/instances/?since=1h&q=on").content.decode()

        assert "Nothing in this time range" in html
        assert listed(reader, link(html, "Search the last 7 days").partition("?")[2]) == ["one"]
        assert link(html, "Search all time") == "/instances/?q=on"

    def test_before_the_first_sync_the_page_says_what_it_waits_for(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")

        assert "No instances yet" in reader.get("/instances/").content.decode()

    def test_without_an_account_the_page_says_what_to_set(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID", raising=False)

        assert "No account is configured" in reader.get("/instances/").content.decode()


@pytest.mark.parametrize("number", [1, 40])
def test_the_list_takes_six_queries_however_many_rows_it_has(
    reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        instance(f"i{index}", of=workflow(f"w{index}", of=account(f"acc{index % 3}")))

    with django_assert_num_queries(6):
        reader.get("/instances/")


def test_a_refresh_takes_six_queries(
    reader: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shown = ".".join(str(instance(f"i{index}").pk) for index in range(10))

    with django_assert_num_queries(6):
        reader.get(f"/instances/?{urlencode({'shown': shown})}", headers=REFRESH)
