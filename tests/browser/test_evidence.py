"""What was kept, in a real browser: generations, comparing, frozen links, hostile content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import Snapshot, User
from dashboard.sync import watching
from tests.browser.test_accessibility import violations
from tests.browser.test_instance_page import HOSTILE, overflow, sign_in
from tests.browser.test_timeline import LINE, TURNED
from tests.insight.details import attempt, pause, running, step
from tests.views.instance.upstream import ACCOUNT, Upstream, watched_upstream

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "x" * 250


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    monkeypatch.setattr(watching, "PACE", timedelta(milliseconds=1))
    monkeypatch.setattr(watching, "AT_REST", timedelta(0))
    monkeypatch.setattr(watching, "AT_WORK", timedelta(0))
    with watched_upstream(monkeypatch) as api:
        yield api


@pytest.fixture
def reader(page: Page, live_server: LiveServer, operator: User) -> Iterator[Page]:
    """Somebody signed in, in whose browser nothing was blocked and nothing went wrong."""
    sign_in(page.context, live_server, operator)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: trouble.append(dialog.message))
    page.on("console", lambda said: said.type == "error" and trouble.append(said.text))
    yield page
    assert trouble == []


def address(live_server: LiveServer, instance_id: str) -> str:
    path = f"/accounts/{ACCOUNT}/workflows/orders/instances/{quote(instance_id, safe='')}"
    return live_server.url + path


def first(name: str = "charge") -> Any:
    return running(
        step(f"{name}-1", attempt(0, 1), output={"amount": 12, "card": {"brand": "visa"}}),
        step(
            "send-1",
            attempt(1, 2, error="503"),
            attempt(12, 13, error="503 again"),
            success=False,
            end="2026-11-20T23:00:13Z",
        ),
        status="errored",
        end="2026-11-20T23:00:14Z",
        params={"order": 7, "email": "ana@example.com"},
        error={"name": "Error", "message": "503 again"},
        versionId="11111111-aaaa",
    )


def second(name: str = "charge") -> Any:
    return running(
        step(f"{name}-1", attempt(100, 103), output={"amount": 12, "card": {"brand": "amex"}}),
        step("send-1", attempt(103, 104), output="sent"),
        step("thank-1", attempt(104, 105), output=None),
        status="complete",
        queued="2026-11-20T23:01:40Z",
        start="2026-11-20T23:01:40Z",
        end="2026-11-20T23:01:45Z",
        params={"order": 7, "email": "ana@example.com"},
        versionId="22222222-bbbb",
    )


def hostile() -> Any:
    return running(
        step(f"{HOSTILE}-1", attempt(0, 1, error=HOSTILE), attempt(2, 3), output={HOSTILE: LONG}),
        step(f"{TURNED}-1", attempt(3, 4, error=f"{TURNED}\0\ud800"), output=f"{TURNED}\0{LONG}"),
        step(f"{LINE[:90_000]}-1", attempt(4, 5, error=LINE)),
        pause("waitForEvent", LONG, 5, 9, event_type=HOSTILE),
        status="errored",
        params={HOSTILE: f"</textarea>{HOSTILE}```", "password": LONG, "\0\ud800": TURNED},
        output=LINE,
        error={"name": HOSTILE, "message": f"</textarea>{HOSTILE}{LINE[:90_000]}"},
        versionId=HOSTILE,
    )


def generations(reader: Page, live_server: LiveServer, upstream: Upstream, id_: str) -> Snapshot:
    """An instance that erred, was restarted elsewhere, and went well; the kept generation of it."""
    for told in (first(), second()):
        upstream.add(id_, told)
        cache.clear()
        reader.goto(address(live_server, id_))
    return Snapshot.objects.get(instance_id=id_)


def test_the_tabs_lead_to_what_was_erased_and_back(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    generations(reader, live_server, upstream, "one")
    reader.goto(address(live_server, "one"))
    tabs = reader.get_by_role("navigation", name="Generations")

    expect(tabs.get_by_role("link", name="Live")).to_have_attribute("aria-current", "page")
    tabs.get_by_role("link", name="Generation 1").click()

    expect(reader.get_by_text("Kept evidence, not live")).to_be_visible()
    expect(reader.locator("#error-message")).to_have_text("503 again")
    expect(reader.get_by_role("rowheader", name="send-1", exact=True)).to_be_visible()
    tabs.get_by_role("link", name="Live").click()
    expect(reader).to_have_url(address(live_server, "one"))


@pytest.mark.parametrize("width", [1440, 390])
def test_a_comparison_shows_what_changed_at_any_width(
    reader: Page, live_server: LiveServer, upstream: Upstream, width: int
) -> None:
    generations(reader, live_server, upstream, "one")
    reader.set_viewport_size({"width": width, "height": 900})
    reader.goto(address(live_server, "one"))
    reader.get_by_text("Compare with…").click()
    reader.get_by_role("link", name="Generation 1, kept").click()

    charge = reader.get_by_role("region", name="charge-1")
    expect(charge.get_by_text("card.brand")).to_be_visible()
    expect(charge.get_by_text("visa")).to_be_visible()
    expect(charge.get_by_text("amex")).to_be_visible()
    thank = reader.get_by_role("region", name="thank-1")
    expect(thank.get_by_text("Only on the right.")).to_be_visible()
    assert overflow(reader) <= 0
    left, right = (charge.locator(".changes dd").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert (left["y"] == right["y"]) == (width == 1440)


@pytest.mark.parametrize("width", [1440, 390])
def test_hostile_content_runs_nothing_wherever_it_is_shown(
    reader: Page, live_server: LiveServer, upstream: Upstream, width: int
) -> None:
    reader.set_viewport_size({"width": width, "height": 900})
    upstream.add(HOSTILE, hostile())
    live = address(live_server, HOSTILE)
    reader.goto(live)
    snapshot = Snapshot.objects.get()
    kept = live_server.url + snapshot.get_absolute_url()

    for url in (
        live,
        kept,
        f"{live_server.url}/compare/?left={quote(live, safe='')}&right={snapshot.pk}",
        f"{live_server.url}/frozen/new/?of={snapshot.pk}",
    ):
        reader.goto(url)
        for opened in reader.locator(".instance details, .comparison details").all():
            opened.evaluate("element => element.open = true")
        assert overflow(reader) <= 0, url
        assert len(reader.content()) < 600_000, url
    reader.get_by_role("button", name="Make the link").click()
    expect(reader.get_by_text("this page never changes")).to_be_visible()
    expect(reader.get_by_role("region", name="Params")).to_contain_text("[hidden]")
    expect(reader.get_by_role("region", name="Params")).not_to_contain_text(LONG)
    assert len(reader.content()) < 600_000
    assert overflow(reader) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_what_was_kept(
    reader: Page, live_server: LiveServer, upstream: Upstream, axe: str, scheme: str, width: int
) -> None:
    snapshot = generations(reader, live_server, upstream, "one")
    live, kept = address(live_server, "one"), live_server.url + snapshot.get_absolute_url()
    reader.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    reader.set_viewport_size({"width": width, "height": 900})
    reader.goto(f"{live_server.url}/frozen/new/?of={snapshot.pk}")
    reader.get_by_role("button", name="Make the link").click()
    expect(reader.get_by_text("this page never changes")).to_be_visible()
    frozen = reader.url

    for url in (
        live,
        kept,
        f"{live_server.url}/compare/?left={quote(live, safe='')}&right={snapshot.pk}",
        f"{live_server.url}/frozen/new/?of={snapshot.pk}",
        frozen,
        f"{live_server.url}/frozen/",
    ):
        reader.goto(url)
        for opened in reader.locator("details.tool").all():
            opened.evaluate("element => element.open = true")
        reader.evaluate(axe)
        assert violations(reader) == [], url
        assert overflow(reader) <= 0, url


def test_the_keyboard_alone_compares_and_an_open_panel_outlives_a_poll(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    told = first() | {"status": "running", "error": None, "end": None}
    upstream.add("one", told)
    upstream.add("two", second())
    reader.goto(address(live_server, "two"))
    reader.goto(address(live_server, "one"))
    reader.locator("#compare-with summary").focus()
    reader.keyboard.press("Enter")
    reader.keyboard.press("Tab")
    expect(reader.get_by_label("Another instance")).to_be_focused()
    reader.keyboard.type("two")
    with reader.expect_response(lambda answer: "/instances/one" in answer.url):
        pass  # The page has asked again, and was told anew.
    expect(reader.get_by_label("Another instance")).to_have_value("two")
    expect(reader.get_by_label("Another instance")).to_be_focused()

    reader.keyboard.press("Enter")

    expect(reader.get_by_role("heading", name="Compare")).to_be_visible()
    expect(reader.get_by_text("differ; ")).to_be_visible()


def test_markdown_is_copied_with_a_click(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    reader.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upstream.add("one", first())
    reader.goto(address(live_server, "one"))

    reader.get_by_text("Copy as Markdown").click()
    reader.locator("#as-markdown").get_by_role("button", name="Copy").click()

    expect(reader.locator("#as-markdown .is-copied")).to_be_visible()
    copied = reader.evaluate("navigator.clipboard.readText()")
    assert "- Failed step: `send-1`, attempt 2 of 6" in copied
    assert address(live_server, "one") in copied


def test_all_of_it_works_without_javascript(
    browser: Browser, live_server: LiveServer, upstream: Upstream, operator: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server, operator)
    page = context.new_page()
    upstream.add("one", first())
    page.goto(address(live_server, "one"))

    page.get_by_text("Copy as Markdown").click()
    expect(page.get_by_label("Summary as Markdown")).to_be_visible()
    page.get_by_role("button", name="Keep and pin").click()
    expect(page.get_by_text("Kept and pinned")).to_be_visible()
    page.get_by_role("link", name="Frozen link…").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    page.get_by_label("Visible to everybody").check()
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_text("this page never changes")).to_be_visible()
    link = page.url
    context.close()

    stranger = browser.new_context()
    page = stranger.new_page()
    page.goto(link)
    expect(page.get_by_role("rowheader", name="charge-1", exact=True)).to_be_visible()
    expect(page.get_by_text("ana@example.com")).to_have_count(0)
    stranger.close()


def test_what_a_restart_repeats_is_shown_for_another_step_without_javascript(
    browser: Browser, live_server: LiveServer, upstream: Upstream, operator: User
) -> None:
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server, operator)
    page = context.new_page()
    upstream.add("one", first())
    page.goto(address(live_server, "one"))
    page.get_by_role("group", name="Actions").get_by_role("button", name="Restart").click()
    expect(page.get_by_role("heading", name="Kept: 0")).to_be_visible()

    page.get_by_label("Restart from").select_option("send-1")
    page.get_by_label("Reason").fill("not yet")
    page.get_by_role("button", name="Show what is kept and what runs again").click()

    expect(page.get_by_role("heading", name="Kept: 1")).to_be_visible()
    expect(page.get_by_label("Restart from")).to_have_value("1")
    expect(page.get_by_label("Reason")).to_have_value("not yet")
    context.close()
