from __future__ import annotations

import html as markup
import re
from datetime import timedelta
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
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
    assert response.status_code == status, response.get("Location")
    return ids(response.content.decode())


def text(html: str) -> str:
    return re.sub(r"\s+", " ", markup.unescape(re.sub(r"<[^>]+>", " ", html)))


def link(html: str, words: str) -> str:
    """The address of the link whose text has these words; views aside, which are named alike."""
    html = re.sub(r'<nav class="views".*?</nav>', "", html, flags=re.S)
    for href, inner in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', html, re.S):
        if words in text(inner):
            return markup.unescape(href)
    raise AssertionError(f"no link {words!r}")


def labelled(html: str, label: str) -> str:
    """The address of the link with this label."""
    found = re.search(rf'href="([^"]*)" aria-label="{label}"', html)
    assert found
    return markup.unescape(found[1])


class TestSearch:
    @pytest.fixture(autouse=True)
    def _rows(self, db: None) -> None:
        other = workflow("invoices", of=account("acc2"))
        instance(
            *("a-errored", "errored"),
            trigger="api",
            version_id="aaa1",
            started_on=THEN,
            expired_at=THEN,
        )
        instance(
            "b-running", "running", trigger="cron", version_id="bbb2", created_on=THEN + minutes(1)
        )
        instance(
            "c-errored",
            "errored",
            of=other,
            version_id="aaa2",
            created_on=THEN + minutes(2),
            ended_on=THEN + minutes(19),
            duration_ms=17 * 60_000,
        )
        instance("d-hibernating", "hibernating", created_on=THEN + minutes(3))

    def test_without_filters_all_accounts_are_listed_newest_first(self, reader: Client) -> None:
        assert listed(reader) == ["d-hibernating", "c-errored", "b-running", "a-errored"]

    @pytest.mark.parametrize(
        ("q", "expected"),
        [
            ("status:errored", ["c-errored", "a-errored"]),
            ("status:Errored,running", ["c-errored", "b-running", "a-errored"]),
            ("status:errored status:running", ["c-errored", "b-running", "a-errored"]),
            ("-status:errored", ["d-hibernating", "b-running"]),
            ("-status:errored,running", ["d-hibernating"]),
            ("status:errored -status:errored", []),
            ("status:hibernating", ["d-hibernating"]),
            ("workflow:invoices", ["c-errored"]),
            ("workflow:acc2/invoices", ["c-errored"]),
            ("workflow:name-of-acc2/invoices", ["c-errored"]),
            ("workflow:acc1/invoices", []),
            ("workflow:invoices,orders status:running", ["b-running"]),
            ("-workflow:orders", ["c-errored"]),
            ("account:acc2", ["c-errored"]),
            ("account:name-of-acc2", ["c-errored"]),
            ("-account:acc2 status:errored", ["a-errored"]),
            ("account:acc2 workflow:orders", []),
            ("trigger:cron", ["b-running"]),
            ("trigger:cron,api", ["b-running", "a-errored"]),
            ("-trigger:cron,api", ["d-hibernating", "c-errored"]),
            ("version:aaa", ["c-errored", "a-errored"]),
            ("version:aaa2,bbb", ["c-errored", "b-running"]),
            ("RUN", ["b-running"]),
            ("run err", []),
            ("-run -err", ["d-hibernating"]),
            ('"-err"', ["c-errored", "a-errored"]),
            ("id:-err,run", ["c-errored", "b-running", "a-errored"]),
            ("-id:err", ["d-hibernating", "b-running"]),
            ("er", ["d-hibernating", "c-errored", "a-errored"]),
            ("%", []),
            ("%rr", []),
            ("created:>=2026-11-20T03:02", ["d-hibernating", "c-errored"]),
            ("created:>=2026-11-20T03:01 created:<2026-11-20T03:03Z", ["c-errored", "b-running"]),
            ("created:<2026-11-20T04:01+01:00", ["a-errored"]),
            ("created:2026-11-20T03:01", ["b-running"]),
            ("-created:2026-11-20T03:01,2026-11-20T03:02", ["d-hibernating", "a-errored"]),
            ("started:2026-11-20", ["a-errored"]),
            ("-started:2026-11-20", ["d-hibernating", "c-errored", "b-running"]),
            ("ended:>2026-11-20T03:05", ["c-errored"]),
            ("duration:>10m", ["c-errored"]),
            ("duration:<10m", []),
            ("-duration:>10m", ["d-hibernating", "b-running", "a-errored"]),
            ("is:finished", ["c-errored", "a-errored"]),
            ("is:unfinished", ["d-hibernating", "b-running"]),
            ("is:gone", ["a-errored"]),
            ("-is:gone is:finished", ["c-errored"]),
        ],
    )
    def test_a_search_narrows_the_list(self, reader: Client, q: str, expected: list[str]) -> None:
        assert listed(reader, urlencode({"q": q})) == expected

    @pytest.mark.parametrize(
        ("old", "q"),
        [
            ("status=errored&status=running", "status:errored,running"),
            ("status=errored&q=RUN", "RUN status:errored"),
            ("workflow=acc2/invoices&account=acc2", "account:acc2 workflow:acc2/invoices"),
            ("trigger=cron&version=aaa", "trigger:cron version:aaa"),
            ("since=1h", "created:>1h"),
            ("time=started&since=1h&q=started:today", "started:>1h"),
            ("time=ended&from=2026-11-20&to=2026-11-21", "ended:>=2026-11-20 ended:<2026-11-21"),
            ("workflow=a/two+words", 'workflow:"a/two words"'),
            ("status=errored&since=&version=", "status:errored"),
        ],
    )
    def test_a_link_with_a_parameter_for_each_filter_leads_to_the_same_search(
        self, reader: Client, old: str, q: str
    ) -> None:
        response = reader.get(f"/instances/?{old}&sort=duration")

        assert response.status_code == 302
        target = urlsplit(response["Location"])
        assert target.path == "/instances/"
        assert dict(parse_qsl(target.query)) == {"q": q, "sort": "duration"}

    def test_a_relative_time_is_told_from_now(self, reader: Client) -> None:
        with time_machine.travel(THEN + minutes(12), tick=False):
            assert listed(reader, "q=created:>10m") == ["d-hibernating", "c-errored"]
            assert listed(reader, "q=created:<10m") == ["b-running", "a-errored"]
            assert listed(reader, "q=created:1h") == listed(reader)
            assert listed(reader, "q=created:today") == listed(reader)
            assert listed(reader, "q=created:yesterday") == []

    def test_a_status_nobody_knows_yet_is_listed_and_counted_under_its_own_name(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/").content.decode()

        assert 'data-status="hibernating"' in html
        assert listed(reader, link(html, "1 hibernating").partition("?")[2]) == ["d-hibernating"]

    def test_the_chips_count_what_fits_the_rest_of_the_search(self, reader: Client) -> None:
        html = reader.get("/instances/?q=status:running+account:acc2").content.decode()

        assert "1 Errored" in text(html)
        assert "0 Running" in text(html)
        assert "1 All" in text(html)

    @pytest.mark.parametrize("q", ["err", "trigger:unknown", "created:2026-11-20", "id:c-e"])
    def test_the_chips_count_what_any_other_term_leaves(self, reader: Client, q: str) -> None:
        html = reader.get(f"/instances/?q={q}").content.decode()
        rows = ids(html)

        assert f"{len(rows)} All" in text(html)
        assert f"{len([row for row in rows if 'err' in row])} Errored" in text(html)

    def test_a_chip_adds_its_status_and_takes_it_back_and_keeps_the_rest(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/?q=status:running+err&sort=duration").content.decode()

        assert link(html, "Errored") == "/instances/?sort=duration&q=status:running,errored%20err"
        assert link(html, "Running") == "/instances/?sort=duration&q=err"
        assert link(html, "All") == "/instances/?sort=duration&q=err"

    def test_a_chip_can_leave_its_status_out(self, reader: Client) -> None:
        html = reader.get("/instances/?q=status:running,errored").content.decode()

        out = labelled(html, "Without Errored")
        assert out == "/instances/?q=status:running%20-status:errored"
        html = reader.get(out).content.decode()
        assert labelled(html, "Without Errored") == "/instances/?q=status:running"
        assert link(html, "Errored") == "/instances/?q=status:running,errored"

    def test_menus_write_the_same_language(self, reader: Client) -> None:
        workflow("orders", of=account("acc2"))
        html = reader.get("/instances/?q=err+started:>1h").content.decode()

        assert unquote(link(html, "invoices")) == "/instances/?q=err started:>1h workflow:invoices"
        assert unquote(link(html, "orders name-of-acc2")).endswith(" workflow:acc2/orders")
        assert unquote(link(html, "cron")).endswith(" trigger:cron")
        assert unquote(link(html, "last 6 hours")) == "/instances/?q=err started:>6h"
        assert unquote(link(html, "Ended")) == "/instances/?q=err ended:>1h"
        assert link(html, "at any time") == "/instances/?q=err"

    def test_what_is_chosen_is_marked_in_its_menu_and_taken_back_by_it(
        self, reader: Client
    ) -> None:
        html = reader.get("/instances/?q=workflow:acc2/invoices,nowhere+x").content.decode()

        assert link(html, "invoices") == "/instances/?q=workflow:nowhere%20x"
        assert link(html, "nowhere not known here") == "/instances/?q=workflow:acc2/invoices%20x"
        assert re.search(r'aria-current="true">invoices', html)

    def test_a_menu_takes_what_was_left_out_instead_of_that(self, reader: Client) -> None:
        html = reader.get("/instances/?q=-trigger:cron").content.decode()

        assert link(html, "cron") == "/instances/?q=trigger:cron"

    def test_the_text_stands_in_the_box_as_it_was_typed(self, reader: Client) -> None:
        html = reader.get("/instances/?q=STATUS:errored++c%22").content.decode()

        assert 'value="STATUS:errored  c&quot;"' in html

    @pytest.mark.parametrize(
        ("q", "sentence"),
        [
            ("started:soon", "started: wants a time such as >2h or 2026-11-20, not “soon”."),
            ("started:>999999w", "not “>999999w”"),
            ("created:<0001-01-01T00:00+23:00", "created: wants a time"),
            ("ended:9999-12-31", "ended: wants a time"),
            ("started:", "started: wants a time such as >2h or 2026-11-20."),
            ("duration:10m", "duration: wants a length such as >10m or <500ms, not “10m”."),
            ("is:stuckk", "is: wants one of finished, unfinished,"),
            ("stauts:errored", "“stauts:” is none of the keys: status, workflow,"),
            ("stauts:errored", "Did you mean status:?"),
            ('"never ends', "The quotation mark before “never ends” is not closed."),
        ],
    )
    def test_what_cannot_be_read_is_said_below_the_box_and_the_rest_is_searched(
        self, reader: Client, q: str, sentence: str
    ) -> None:
        query = urlencode({"q": f"account:acc2 {q}"})
        response = reader.get(f"/instances/?{query}")

        html = response.content.decode()
        assert response.status_code == 400
        assert sentence in text(html)
        assert ids(html) in (["c-errored"], [])
        assert markup.escape(q) in html

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("sort=name", "“name” is none of the orders: created, started, ended, duration."),
            ("after=nonsense", "This link's place in the list cannot be read"),
            ("before=WzFd", "This link's place in the list cannot be read"),
            ("after=%F0%9F%98%80", "This link's place in the list cannot be read"),
            ("shown=1.x", "The rows to refresh cannot be read."),
        ],
    )
    def test_a_bad_parameter_is_a_400_with_a_sentence_and_the_search_stays(
        self, reader: Client, query: str, sentence: str
    ) -> None:
        response = reader.get(f"/instances/?q=account:acc2&{query}")

        html = response.content.decode()
        assert response.status_code == 400
        assert sentence in text(html)
        assert ids(html) == ["c-errored"]

    @pytest.mark.parametrize(
        ("q", "sentence"),
        [("a%00b", "Null characters are not allowed."), ("x" * 1001, "at most 1000 characters")],
    )
    def test_what_no_search_can_be_is_a_400_with_a_sentence(
        self, reader: Client, q: str, sentence: str
    ) -> None:
        response = reader.get(f"/instances/?q={q}")

        assert response.status_code == 400
        assert sentence in text(response.content.decode())

    def test_a_word_too_short_to_search_details_is_said_to_be(self, reader: Client) -> None:
        html = reader.get("/instances/?q=zz").content.decode()

        assert "“zz” is looked for in ids alone" in text(html)

    def test_a_form_takes_along_what_is_not_its_own(self, reader: Client) -> None:
        html = reader.get("/instances/?sort=duration&density=compact&after=x").content.decode()

        assert '<input type="hidden" name="density" value="compact">' in html
        assert '<input type="hidden" name="sort" value="duration">' in html
        assert 'name="after"' not in html


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
        html = reader.get("/instances/?q=status:complete").content.decode()
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
        assert 'rel="next"' not in third
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
        before = reader.get("/instances/?q=status:running").content.decode()
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
        before = reader.get("/instances/?q=status:errored+started:soon&after=x").content.decode()

        assert ids(self.refresh(reader, before)) == ["one"]

    def test_an_empty_list_fills_by_itself(self, reader: Client) -> None:
        before = reader.get("/instances/").content.decode()
        instance("first")

        assert ids(self.refresh(reader, before)) == ["first"]


class TestNothingToShow:
    def test_filters_that_nothing_fits_can_be_cleared(self, reader: Client) -> None:
        instance("one")

        html = reader.get("/instances/?q=status:errored").content.decode()

        assert "No instance fits this search" in html
        assert link(html, "Clear search") == "/instances/"

    def test_an_empty_time_range_can_be_widened(self, reader: Client) -> None:
        instance("one", created_on=timezone.now() - timedelta(days=2))

        html = reader.get("/instances/?q=on+created:>1h").content.decode()

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
def test_the_list_takes_eight_queries_however_many_rows_it_has(
    reader: Client, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for index in range(number):
        instance(f"i{index}", of=workflow(f"w{index}", of=account(f"acc{index % 3}")))

    with django_assert_num_queries(8):
        reader.get("/instances/")


def test_a_refresh_takes_six_queries(
    reader: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shown = ".".join(str(instance(f"i{index}").pk) for index in range(10))

    with django_assert_num_queries(6):
        reader.get(f"/instances/?{urlencode({'shown': shown})}", headers=REFRESH)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["plain", "a b/c", "*/5 * * * *-17", "50%#?&=é+", "x~:@!$'(),;"])
def test_the_address_of_a_row_is_that_of_its_page(name: str) -> None:
    row = instance(name)

    args = [row.workflow.account.account_id, row.workflow.name, name]
    assert row.get_absolute_url() == reverse("instance", args=args)
