"""The timeline and the steps of an instance, by mouse, by keyboard, and without JavaScript."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from tests.browser.conftest import sign_in
from tests.browser.test_instance_page import HOSTILE, overflow, url_of
from tests.insight.details import at, attempt, pause, recorded, running, step
from tests.views.instance.upstream import Upstream
from tests.views.instance.upstream import step as step_answer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = 86_400
LINE = "z" * 10_000_000
TURNED = "\N{RIGHT-TO-LEFT OVERRIDE}turned\N{RIGHT-TO-LEFT MARK}"


def month() -> Any:
    """Two seconds of work, a month of sleep, four seconds of work."""
    return running(
        step("charge-1", attempt(0, 2)),
        pause("sleep", "cooling off-1", 2, 30 * DAY) | {"finished": True},
        step("remind-1", attempt(30 * DAY, 30 * DAY + 1, error="503"), attempt(30 * DAY + 3, None)),
        status="errored",
        end=at(30 * DAY + 4),
    )


def loop(count: int = 250) -> Any:
    steps = [step(f"item-{n}", attempt(n, n + 1), output={"n": n}) for n in range(count)]
    steps[70] |= {"success": False, "attempts": [attempt(70, 71, error="broken")]}
    return running(*steps, status="complete", end=at(count))


def test_arrow_keys_walk_the_rows_and_the_bars_of_a_row(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", month())
    reader.goto(url_of(live_server, "one"))
    names = reader.locator(".waterfall a.name")

    names.first.focus()
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("ArrowDown")
    expect(names.nth(2)).to_be_focused()
    reader.keyboard.press("ArrowRight")
    expect(reader.get_by_role("link", name="remind-1, attempt 1, failed after 1 s")).to_be_focused()
    reader.keyboard.press("ArrowUp")
    expect(names.nth(1)).to_be_focused()


def test_dragging_over_the_timeline_looks_at_a_shorter_time_and_a_link_goes_back(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", loop())
    reader.goto(url_of(live_server, "one"))
    bars = reader.locator(".waterfall .bars").first.bounding_box()
    assert bars is not None
    middle = bars["y"] + bars["height"] / 2

    reader.mouse.move(bars["x"] + bars["width"] * 0.40, middle)
    reader.mouse.down()
    reader.mouse.move(bars["x"] + bars["width"] * 0.42, middle, steps=5)
    reader.mouse.up()

    expect(reader.get_by_text("steps were not at work then")).to_be_visible()
    assert "from=2026-11-20T23:01:4" in reader.url
    expect(reader.locator("#row-105")).to_be_visible()
    reader.get_by_role("link", name="The whole time").click()
    expect(reader.locator("#fold-0")).to_contain_text("item ×250")


def test_a_permalink_opens_its_step_on_whichever_page_it_stands(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", loop())

    reader.goto(url_of(live_server, "one") + "?step=240#step-240")

    expect(reader.locator("#step-240-more")).to_have_attribute("open", "")
    expect(reader.locator("#step-240")).to_be_in_viewport()
    reader.locator("#step-241 td.faint a").click()
    expect(reader).to_have_url(url_of(live_server, "one") + "?step=241#step-241")
    expect(reader.locator("#step-241-more")).to_have_attribute("open", "")
    reader.go_back()
    expect(reader.locator("#step-240")).to_have_attribute("aria-current", "true")


def test_a_loop_unfolds_and_each_member_leads_to_its_step(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", loop())
    reader.goto(url_of(live_server, "one"))

    reader.get_by_role("link", name="item ×250").click()
    reader.locator("#row-49 a.name").click()

    expect(reader.locator("#step-49-more")).to_have_attribute("open", "")


def test_without_javascript_time_filter_folds_and_breaks_are_links_and_a_form(
    browser: Browser, live_server: LiveServer, upstream: Upstream, operator: User
) -> None:
    upstream.add("one", month())
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server, operator)
    page = context.new_page()
    page.goto(url_of(live_server, "one"))

    page.get_by_role("link", name="draw 29 d 23 h of idle time to scale").click()
    expect(page.locator(".open-break")).to_have_count(0)
    page.get_by_label("From (UTC)").fill("2026-12-20T23:00:01")
    page.get_by_label("Failed only").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".waterfall .row")).to_have_count(1)
    expect(page.locator("#steps")).to_contain_text("1 of 3 steps fit the filter.")
    page.get_by_label("From (UTC)").fill("yesterday")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("“yesterday” is no time")).to_be_visible()
    expect(page.get_by_label("From (UTC)")).to_have_value("yesterday")
    context.close()


def test_what_is_to_come_counts_down(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", running(pause("sleep", "nap-1", 0, 400 * DAY), status="waiting"))

    reader.goto(url_of(live_server, "one"))

    expect(reader.locator(".phase time[data-countdown]")).to_contain_text("in 3")


def test_a_value_is_a_tree_that_folds_and_is_searched(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    rows = [{"id": n, "name": f"row {n}"} for n in range(60_000)]
    upstream.add("one", running(params={"rows": rows}, output={"ok": True}))
    reader.goto(url_of(live_server, "one"))
    params = reader.locator(".payload", has_text="Params")

    expect(reader.locator(".payload", has_text="Output").locator(".tree .leaf")).to_have_text(
        "true"
    )
    params.get_by_role("button", name="Tree").click()
    expect(params.locator(".tree details").first).to_contain_text("[ 60,000 ]")
    params.get_by_role("button", name="more of 59,900").click()
    expect(params.locator(".tree details details")).to_have_count(200)
    params.get_by_label("Search in params").fill("row 59999")
    expect(params.locator(".found")).to_contain_text("1 found")
    expect(params.locator(".found .key").first).to_have_text("rows › 59999 › name")
    params.get_by_label("Search in params").fill("")
    params.get_by_role("button", name="Text").click()
    expect(params.locator("pre")).to_be_visible()


def test_the_output_of_any_attempt_is_loaded_into_its_step(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.steps["import rows-1"] = step_answer(
        None, status="errored", error={"name": "Error", "message": "what attempt 2 said"}
    )
    upstream.add("one", recorded("errored.exhaust"))
    reader.goto(url_of(live_server, "one") + "?step=1#step-1")

    reader.get_by_role("link", name="Load what attempt 2 gave").click()

    expect(reader.locator("#step-1-output")).to_contain_text("what attempt 2 said")
    assert "attempt=2" in upstream.seen[-1]


@pytest.mark.parametrize("width", [1440, 390])
def test_whatever_cloudflare_sends_nothing_runs_and_the_layout_holds(
    reader: Page, live_server: LiveServer, upstream: Upstream, width: int
) -> None:
    upstream.add(
        "one",
        running(
            step(f"{HOSTILE}-1", attempt(0, 1, error=HOSTILE), attempt(2, 3), output=HOSTILE),
            step(f"{TURNED}-1", attempt(3, 4, error=f"{TURNED}\0\ud800"), attempt(5, 6)),
            step(f"{LINE}-1", attempt(6, 7, error=LINE)),
            pause("waitForEvent", "x" * 250, 7, 9, event_type=HOSTILE),
            {"type": LINE[:90_000], "name": LINE[:90_000], "start": at(8)},
            status="errored",
            params={HOSTILE: "y" * 500, "\0\ud800": TURNED, LINE[:90_000]: LINE},
            output=LINE,
            error={"name": LINE[:90_000], "message": LINE},
            rollback={"outcome": LINE[:90_000], "error": {"name": "", "message": LINE[:90_000]}},
        ),
    )
    reader.set_viewport_size({"width": width, "height": 900})

    reader.goto(url_of(live_server, "one") + "?step=2#step-2")

    expect(reader.locator("#step-2")).to_contain_text("zzz")
    for details in reader.locator("#steps details").all():
        details.evaluate("element => { element.open = true; }")
    assert overflow(reader) <= 0
    assert len(reader.content()) < 600_000


def test_a_download_stays_a_file_and_raw_text_stays_text(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", running(params={"page": HOSTILE}, output=f"<html>{HOSTILE}"))
    reader.goto(url_of(live_server, "one"))

    with reader.expect_popup() as raw:
        reader.get_by_role("link", name="Raw output").click()
    expect(raw.value.locator("body")).to_contain_text(HOSTILE)
    with reader.expect_download() as saved:
        reader.get_by_role("link", name="Download params").click()
    assert json.loads(saved.value.path().read_text()) == {"page": HOSTILE}
