from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from dashboard.models import User
from tests.rows import HOSTILE, THEN, account, instance, version, workflow

PAGES = [
    "/",
    "/instances/",
    "/accounts/acc1/workflows/",
    "/accounts/acc1/workflows/orders/",
    "/operations/",
    "/budget/",
]


class Attributes(HTMLParser):
    """Collects what a strict policy forbids: inline scripts, styles and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in names):
            self.inline.append(f"<{tag}>")
        forbidden = {"style", "srcdoc"} | {n for n in names if n.startswith(("on", "hx-on"))}
        self.inline += [f"{tag} {name}" for name in names if name in forbidden]
        self.inline += [f"{tag} {v}" for v in names.values() if v and "javascript:" in v.lower()]


def inline_parts(html: str) -> list[str]:
    parser = Attributes()
    parser.feed(html)
    return parser.inline


@pytest.fixture
def hostile_rows(db: None) -> None:
    """An account in which every text tries to be markup."""
    watched = account(
        synced_at=THEN, sync_error=HOSTILE, sync_failed_at=THEN, name=f"acc {HOSTILE}"
    )
    orders = workflow(
        of=watched,
        class_name=HOSTILE,
        script_name=HOSTILE,
        sync_error=HOSTILE,
        schedules=[{"cron": HOSTILE, "next_instance": "not a time"}],
    )
    version(f"v{HOSTILE}"[:64], of=orders, language="<b>js</b>")
    instance(
        f"id {HOSTILE}",
        "<i>new</i>",
        of=orders,
        error_name=HOSTILE,
        error_message=HOSTILE,
        trigger="<u>",
        version_id="<s>1</s>",
        generation=3,
        expired_at=THEN,
    )


@pytest.mark.parametrize("path", PAGES)
def test_every_page_asks_who_you_are_first_and_knows_where_you_wanted_to_go(
    db: None, client: Client, path: str
) -> None:
    response = client.get(path)

    assert response.status_code == 302
    assert response["Location"] == f"/sign-in/?next={path}"


@pytest.mark.parametrize("path", [*PAGES, "/sign-in/", "/nowhere/"])
def test_every_answer_forbids_what_is_inline_and_contains_nothing_of_it(
    hostile_rows: None, reader: Client, path: str
) -> None:
    response = reader.get(path, follow=True)

    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert inline_parts(response.content.decode()) == []


@pytest.mark.parametrize("path", PAGES[:4])
def test_markup_in_ids_names_and_errors_stays_text(
    hostile_rows: None, reader: Client, path: str
) -> None:
    html = reader.get(path).content.decode()

    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize("path", PAGES[:4])
def test_a_refresh_holds_the_fragment_and_the_age_of_the_data_and_no_page_around_it(
    hostile_rows: None, reader: Client, path: str
) -> None:
    html = reader.get(path, headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in html
    assert '<hx-partial hx-target="#sync-strip"' in html
    assert inline_parts(html) == []


@pytest.mark.parametrize("path", PAGES[:4])
def test_a_refresh_that_has_nothing_new_to_say_says_nothing(
    hostile_rows: None, reader: Client, path: str
) -> None:
    first = reader.get(path, headers={"HX-Request": "true"})
    again = reader.get(path, headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})

    assert again.status_code == 304
    assert again.content == b""


def test_a_refresh_tells_that_the_sync_began_to_fail(reader: Client) -> None:
    instance()
    first = reader.get("/instances/", headers={"HX-Request": "true"})
    watched = account()
    watched.sync_error = "Cloudflare does not answer."
    watched.save()

    again = reader.get("/instances/", headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})

    assert again.status_code == 200
    assert "Cloudflare does not answer." in again.content.decode()


def sync_strip(reader: Client) -> str:
    html = reader.get("/").content.decode()
    found = re.search(r'<div class="sync-strip".*?<main', html, re.S)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found[0]))


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDFLARE_ACCOUNT_ID", "acc1")
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "a-token-of-the-test")


def test_a_fresh_sync_is_told_with_its_age(reader: Client, watching: None) -> None:
    account(synced_at=timezone.now() - timedelta(seconds=4))

    html = reader.get("/").content.decode()

    assert re.search(r"synced\s+<time [^>]*data-age[^>]*>4 s ago</time>", html)
    assert "is-stale" not in html


def test_a_sync_that_has_not_come_through_for_a_minute_has_stopped(
    reader: Client, watching: None
) -> None:
    account(synced_at=timezone.now() - timedelta(minutes=4, seconds=2))

    assert "is-stale" in reader.get("/").content.decode()
    assert "Sync has stopped: last came through" in sync_strip(reader)
    assert "4 min ago" in sync_strip(reader)


def test_the_error_that_stopped_the_sync_is_told(reader: Client, watching: None) -> None:
    account(synced_at=timezone.now() - timedelta(minutes=2), sync_error="The token is wrong.")

    assert "Sync fails." in sync_strip(reader)
    assert "The token is wrong." in sync_strip(reader)


def test_an_account_that_was_never_synced_says_so(reader: Client, watching: None) -> None:
    assert "acc1 has not been synced yet. Is the worker running?" in sync_strip(reader)


@pytest.mark.parametrize(
    "facts", [{"leased_until": timedelta(seconds=50)}, {"counted_at": timedelta(seconds=-5)}]
)
def test_a_first_sync_that_is_under_way_is_told_as_such(
    reader: Client, watching: None, facts: dict[str, timedelta]
) -> None:
    account(**{name: timezone.now() + away for name, away in facts.items()})

    assert "is being synced for the first time." in sync_strip(reader)


def test_a_first_sync_whose_worker_is_gone_is_not_under_way(reader: Client, watching: None) -> None:
    long_ago = timezone.now() - timedelta(minutes=2)
    account(leased_until=long_ago, counted_at=long_ago)

    assert "Is the worker running?" in sync_strip(reader)


def test_an_account_that_is_no_longer_configured_says_as_of_when_its_data_are(
    reader: Client,
) -> None:
    account(synced_at=THEN)

    assert "no longer configured here; what is shown is as of 2026-11-20 03:00:00" in sync_strip(
        reader
    )


def test_the_age_of_the_events_is_told(reader: Client, watching: None) -> None:
    now = timezone.now()
    account(synced_at=now, feed_at=now - timedelta(seconds=6))

    assert "Events: read 6 s ago." in sync_strip(reader)


def test_a_missing_permission_for_events_is_told_calmly(reader: Client, watching: None) -> None:
    account(synced_at=timezone.now(), feed_error="the token lacks Account Analytics: Read.")

    assert (
        "Events: not available: the token lacks Account Analytics: Read. Polling carries on alone."
        in sync_strip(reader)
    )
    assert "is-failing" not in reader.get("/").content.decode()


def test_before_events_were_ever_read_nothing_is_said_of_them(
    reader: Client, watching: None
) -> None:
    account(synced_at=timezone.now())

    assert "Events" not in sync_strip(reader)


def test_without_any_account_the_page_says_what_to_set(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDFLARE_ACCOUNT_ID", raising=False)

    assert "CLOUDFLARE_ACCOUNT_ID" in sync_strip(reader)


def test_a_token_never_stands_on_a_page(reader: Client, watching: None) -> None:
    assert "a-token-of-the-test" not in reader.get("/").content.decode()


def test_reading_only_is_said_on_every_page(reader: Client, settings: Settings) -> None:
    settings.READ_ONLY = True

    assert "Read-only" in sync_strip(reader)


def test_who_is_signed_in_and_in_which_role_is_told(actor: Client) -> None:
    html = actor.get("/").content.decode()

    assert "olga" in html
    assert "Operator" in html


class TestSignIn:
    @pytest.fixture(autouse=True)
    def _user(self, db: None, settings: Settings) -> None:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        User.objects.create_user("ana", password="right")

    def test_it_leads_back_to_the_page_that_was_asked_for(self, client: Client) -> None:
        response = client.post(
            "/sign-in/",
            {"login": "ana", "password": "right", "next": "/instances/?status=errored"},
        )

        assert response["Location"] == "/instances/?status=errored"

    @pytest.mark.parametrize(
        "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
    )
    def test_it_never_leads_to_another_site(self, client: Client, elsewhere: str) -> None:
        response = client.post(
            "/sign-in/", {"login": "ana", "password": "right", "next": elsewhere}
        )

        assert response["Location"] == "/"

    def test_a_wrong_password_is_told_in_a_sentence_and_the_name_is_kept(
        self, client: Client
    ) -> None:
        response = client.post("/sign-in/", {"login": "ana", "password": "wrong", "next": "/x"})

        assert response.status_code == 422
        html = response.content.decode()
        assert "This name and password do not belong together." in html
        assert 'value="ana"' in html
        assert 'name="next" value="/x"' in html
        assert "wrong" not in html

    def test_signing_out_takes_a_post_and_ends_the_session(self, client: Client) -> None:
        client.post("/sign-in/", {"login": "ana", "password": "right"})

        assert client.get("/sign-out/").status_code == 405
        assert client.get("/").status_code == 200
        client.post("/sign-out/")
        assert client.get("/").status_code == 302


class TestErrors:
    def test_an_address_without_a_page_is_a_404_with_a_way_on(self, reader: Client) -> None:
        response = reader.get("/nowhere/")

        assert response.status_code == 404
        assert "There is no page at this address." in response.content.decode()
        assert 'href="/instances/"' in response.content.decode()

    def test_a_stranger_learns_nothing_from_a_404(self, db: None, client: Client) -> None:
        account(name="secret-name")

        assert "secret-name" not in client.get("/nowhere/").content.decode()

    def test_a_broken_page_is_a_500_that_needs_no_database(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: object) -> Iterator[object]:
            raise ZeroDivisionError

        monkeypatch.setattr("dashboard.views.overview.AccountWorkflows.of", broken)
        reader.raise_request_exception = False

        response = reader.get("/")

        assert response.status_code == 500
        assert "Something broke here" in response.content.decode()
        assert inline_parts(response.content.decode()) == []

    def test_a_database_that_is_away_is_a_503_that_asks_to_come_back(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*args: object) -> Iterator[object]:
            raise OperationalError("connection refused")

        monkeypatch.setattr("dashboard.views.overview.AccountWorkflows.of", gone)
        reader.raise_request_exception = False

        response = reader.get("/")

        assert response.status_code == 503
        assert response["Retry-After"] == "5"
        assert "The database does not answer" in response.content.decode()

    @pytest.mark.parametrize("name", ["500", "database_gone"])
    def test_pages_for_the_worst_case_are_made_from_nothing(self, name: str) -> None:
        assert "<h1>" in render_to_string(f"errors/{name}.html")

    def test_a_form_of_another_session_is_refused_with_a_sentence(self, viewer: User) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(viewer)

        response = strict.post("/sign-out/")

        assert response.status_code == 403
        assert "This form is too old" in response.content.decode()
