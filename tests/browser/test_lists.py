from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from dashboard.models import Instance, tallies
from tests.rows import HOSTILE, THEN, account, instance, minutes, version, workflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/",
    "/instances/",
    "/instances/?q=none",
    "/accounts/acc1/workflows/orders/",
    "/operations/",
]


def refresh(page: Page) -> None:
    """What live.js does every five seconds, at once."""
    with page.expect_response(
        lambda response: response.request.headers.get("hx-request") == "true"
    ):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")


def fill(rows: int = 30) -> None:
    home = workflow(of=account(synced_at=timezone.now(), name=HOSTILE[:100]), counts={"errored": 3})
    version("v1", of=home)
    for number in range(rows):
        instance(
            f"i-{number}",
            "errored" if number % 3 == 0 else "running",
            of=home,
            started_on=THEN,
            created_on=THEN + minutes(number),
            error_message=HOSTILE,
        )


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_fits_its_window_and_breaks_no_rule(screen: Page, width: int) -> None:
    fill()
    instance("y" * 271, "a-status-as-long-as-they-ever-get")
    screen.set_viewport_size({"width": width, "height": 800})

    for path in PAGES:
        screen.goto(path)

        assert screen.evaluate("document.documentElement.scrollWidth") <= width, path
        expect(screen.locator("h1")).to_be_visible()


def test_a_chip_narrows_the_list_and_is_in_the_address(screen: Page) -> None:
    fill(6)
    screen.goto("/instances/?q=i-")

    screen.get_by_role("navigation", name="Filter by status").get_by_text("Errored").click()

    expect(screen).to_have_url(re.compile(r"\?q=i-%20status:errored$"))
    expect(screen.locator("tbody tr")).to_have_count(2)
    screen.go_back()
    expect(screen.locator("tbody tr")).to_have_count(6)


def test_a_refresh_moves_neither_rows_nor_focus_nor_scroll(screen: Page) -> None:
    fill()
    screen.goto("/instances/")
    link = screen.locator("tbody tr").nth(20).locator("a.id")
    link.focus()
    before = screen.evaluate("scrollY")
    top = link.bounding_box()
    changed = Instance.objects.get(instance_id="i-9")
    changed.status = "complete"
    changed.save()
    instance("brand-new", created_on=THEN + minutes(999))

    refresh(screen)

    expect(screen.locator(f"#instance-{changed.pk} .badge")).to_have_text(re.compile("Complete"))
    expect(screen.get_by_text("1 new: show")).to_be_attached()
    expect(link).to_be_focused()
    assert before > 0
    after = link.bounding_box()
    assert top is not None
    assert after is not None
    assert abs(after["y"] - top["y"]) < 2


@pytest.mark.parametrize("path", ["/", "/instances/", "/accounts/acc1/workflows/orders/"])
def test_a_refresh_with_nothing_new_transfers_nothing(screen: Page, path: str) -> None:
    fill(3)
    screen.goto(path)
    refresh(screen)

    with screen.expect_response(lambda response: response.status == 304):
        refresh(screen)


def test_a_refresh_with_nothing_new_changes_nothing_on_the_page(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/")
    whole_refresh = """() => new Promise((resolve) => {
      document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
        if (ctx.sourceElement.id === "rows") resolve();
      });
      document.body.dispatchEvent(new CustomEvent("poll"));
    })"""
    screen.evaluate(whole_refresh)
    # Ages tick by themselves, and `rows` says that it asks; all else is noted.
    screen.evaluate(
        """() => {
          window.changes = [];
          new MutationObserver((list) => list
            .filter(({ target }) => target.id !== "rows" && !target.closest("time"))
            .forEach(({ target }) => window.changes.push(target.outerHTML.slice(0, 80))))
            .observe(document.getElementById("rows"), {
              subtree: true, childList: true, attributes: true });
        }"""
    )

    screen.evaluate(whole_refresh)

    assert screen.evaluate("window.changes") == []


def test_a_menu_folds_away_when_somebody_goes_on(screen: Page) -> None:
    fill(1)
    screen.goto("/instances/")
    screen.locator("summary", has_text="Workflow").click()
    expect(screen.get_by_role("link", name="orders").first).to_be_visible()

    screen.keyboard.press("Escape")

    expect(screen.locator("details.choose[open]")).to_have_count(0)


def test_a_refresh_leaves_what_is_being_chosen_alone(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/")
    screen.get_by_role("searchbox", name="Search").fill("half-typ")
    screen.locator("summary", has_text="Workflow").click()
    Instance.objects.update(status="paused")

    refresh(screen)

    expect(screen.locator("tbody .badge").first).to_have_text(re.compile("Paused"))
    expect(screen.locator("details.choose[open]")).to_have_count(1)
    expect(screen.get_by_role("searchbox", name="Search")).to_have_value("half-typ")


def test_box_menus_and_chips_are_one_thing_and_in_the_address(screen: Page) -> None:
    fill(6)
    screen.goto("/instances/")

    screen.locator("summary", has_text="Workflow").click()
    screen.locator("details[open] a", has_text="orders").click()
    screen.get_by_role("link", name="Without Running").click()

    box = screen.get_by_role("searchbox", name="Search")
    expect(box).to_have_value("workflow:orders -status:running")
    expect(screen.locator("tbody tr")).to_have_count(2)


def test_what_cannot_be_read_is_said_below_the_box_and_stays_in_it(window: Page) -> None:
    fill(3)
    window.goto("/instances/")
    box = window.get_by_role("searchbox", name="Search")

    box.fill("workflow:orders started:soon")
    box.press("Enter")

    expect(window.locator("#q-notes")).to_contain_text("started: wants a time such as >2h")
    expect(window.get_by_role("searchbox", name="Search")).to_have_value(
        "workflow:orders started:soon"
    )
    expect(window.locator("tbody tr")).to_have_count(3)


def test_a_chip_tells_how_many_came_since_the_page_was_loaded(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/")
    chip = screen.locator('.chip[data-chip="running"]')
    expect(chip.locator(".since")).to_have_count(0)
    instance("late-1", created_on=THEN + minutes(99))
    instance("late-2", created_on=THEN + minutes(98))

    refresh(screen)
    expect(chip.locator(".since")).to_have_text("+2")
    Instance.objects.filter(instance_id="late-1").update(status="errored")
    tallies.recount(Instance.objects.get(instance_id="late-1").workflow_id)
    refresh(screen)

    expect(chip.locator(".since")).to_have_text("+1")
    screen.reload()
    expect(screen.locator(".since")).to_have_count(0)


def test_the_age_of_the_data_ticks_and_turns_into_a_warning(screen: Page) -> None:
    account(synced_at=timezone.now() - timedelta(seconds=55))
    screen.goto("/instances/")
    strip = screen.locator("#sync-strip")

    expect(strip).to_contain_text(re.compile(r"synced\s+5\d s ago"))
    expect(strip.locator(".is-stale")).to_have_count(1, timeout=15_000)
    expect(strip.locator(".when-stale")).to_be_visible()


@pytest.mark.parametrize("trouble", ["unreachable", "503"])
def test_when_the_dashboard_does_not_answer_the_page_says_so_and_keeps_its_rows(
    window: Page, trouble: str
) -> None:
    fill(3)
    window.goto("/instances/")
    notice = window.locator("#not-refreshed")
    expect(notice).to_be_hidden()

    def answer(route: Route) -> None:
        if trouble == "503":
            route.fulfill(status=503, body="<h1>The database does not answer</h1>")
        else:
            route.abort()

    window.route("**/instances/**", answer)
    window.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")
    expect(notice).to_be_visible()
    expect(window.locator("tbody tr")).to_have_count(3)

    window.unroute("**/instances/**")
    refresh(window)
    expect(notice).to_be_hidden()


def test_who_was_signed_out_meanwhile_is_asked_to_sign_in_and_comes_back(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/?q=status:errored")
    screen.context.clear_cookies()

    screen.evaluate("document.body.dispatchEvent(new CustomEvent('poll'))")

    expect(screen).to_have_url(re.compile(r"/sign-in/\?next=/instances/%3Fq%3Dstatus%3Aerrored"))


def test_the_theme_is_kept_from_page_to_page(screen: Page) -> None:
    screen.get_by_label("Dark theme").click()

    screen.goto("/instances/")

    assert screen.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(screen.get_by_label("Dark theme")).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_alone_reaches_the_content_and_a_row(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/")

    screen.keyboard.press("Tab")
    expect(screen.get_by_text("Skip to content")).to_be_focused()
    screen.keyboard.press("Enter")
    screen.keyboard.press("Tab")

    expect(screen.locator("#content summary", has_text="Columns")).to_be_focused()
    screen.keyboard.press("j")
    expect(screen.locator("tbody a.id").first).to_be_focused()
