"""The instance page in a real browser, under the content security policy it is served with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from tests.browser.conftest import sign_in
from tests.insight.details import NAMES, attempt, pause, recorded, running, step
from tests.views.instance.upstream import ACCOUNT, Upstream
from tests.views.instance.upstream import step as step_answer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def now(result: Any) -> Any:
    """The result with its first instant moved to a moment ago, so that it looks alive."""
    queued = datetime.fromisoformat(result["queued"])
    return moved(result, datetime.now(UTC) - timedelta(seconds=30) - queued)


def moved(value: Any, by: timedelta) -> Any:
    match value:
        case dict():
            return {key: moved(entry, by) for key, entry in value.items()}
        case list():
            return [moved(entry, by) for entry in value]
        case str() if len(value) == 24 and value.endswith("Z"):
            moment = datetime.fromisoformat(value) + by
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def url_of(live_server: LiveServer, instance_id: str) -> str:
    return live_server.url + reverse("instance", args=[ACCOUNT, "orders", instance_id])


def overflow(page: Page) -> int:
    root = "document.documentElement"
    return int(page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))


@pytest.mark.parametrize("width", [1440, 390])
def test_every_sample_fits_and_shows_each_step(
    reader: Page, live_server: LiveServer, upstream: Upstream, width: int
) -> None:
    reader.set_viewport_size({"width": width, "height": 900})
    for name in NAMES:
        result = recorded(name)
        upstream.add(name, result)
        reader.goto(url_of(live_server, name))

        assert overflow(reader) <= 0, name
        for entry in result["steps"]:
            row = reader.locator(f'#timeline .name[title^="{entry["name"]}: "]')
            expect(row).to_be_visible()
            expect(reader.get_by_role("rowheader", name=entry["name"], exact=True)).to_be_visible()


def test_hostile_names_run_nothing_and_break_no_layout(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    reader.set_viewport_size({"width": 390, "height": 900})
    upstream.add(
        HOSTILE,
        running(
            step(f"{HOSTILE}-1", attempt(0, 1, error=HOSTILE), attempt(2, 3), output=HOSTILE),
            pause("waitForEvent", "x" * 250, 3, 9, event_type=HOSTILE),
            status="errored",
            params={HOSTILE: "y" * 500},
            error={"name": HOSTILE, "message": "z" * 900},
        ),
    )

    reader.goto(url_of(live_server, HOSTILE))

    expect(reader.locator("#instance-id")).to_have_text(HOSTILE)
    assert overflow(reader) <= 0


def test_a_cron_id_survives_the_way_through_a_real_server(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    for instance_id in ("*/30 * * * *-1786001400000", "0 3 1,15 * MON#2-1786001400000", "50%-1"):
        upstream.add(instance_id, recorded("complete.caught"))

        reader.goto(url_of(live_server, instance_id))

        expect(reader.locator("#instance-id")).to_have_text(instance_id)


def test_a_bar_leads_to_its_step_and_says_what_it_was(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", recorded("errored.exhaust"))
    reader.goto(url_of(live_server, "one"))

    reader.get_by_role(
        "link",
        name="import rows-1, attempt 2, failed after 4 ms: "
        "Error: upstream returned 503 on attempt 2",
    ).click()

    expect(reader).to_have_url(url_of(live_server, "one") + "?step=1#step-1")
    expect(reader.locator("#step-1-more")).to_have_attribute("open", "")


def test_a_refresh_keeps_what_is_open_focused_and_loaded(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.steps["reserve stock-1"] = step_answer({"reserved": 1, "whole": True})
    upstream.add("one", now(recorded("running.in-step")))
    reader.goto(url_of(live_server, "one"))
    details = reader.locator("#step-1-more")
    details.locator("summary").click()
    details.get_by_role("link", name="Load full output").click()
    expect(reader.locator("#step-1-output")).to_contain_text('"whole": true')
    details.locator("summary").focus()

    with reader.expect_response(lambda response: "/instances/one" in response.url):
        pass
    reader.wait_for_timeout(300)

    expect(details).to_have_attribute("open", "")
    expect(details.locator("summary")).to_be_focused()
    expect(reader.locator("#step-1-output")).to_contain_text('"whole": true')


def test_it_is_live_until_it_is_finished_and_then_silent(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", now(recorded("running.in-step")))
    reader.goto(url_of(live_server, "one"))
    expect(reader).to_have_title("Running · one · orders · Workflows dashboard")

    upstream.add("one", recorded("complete.order-pipeline"))

    expect(reader.locator("#instance .badge").first).to_have_text("Complete", timeout=10_000)
    expect(reader).to_have_title("Complete · one · orders · Workflows dashboard")
    asked: list[str] = []
    reader.on("request", lambda request: asked.append(request.url))
    reader.wait_for_timeout(5500)
    assert [url for url in asked if "/instances/" in url] == []


def test_everything_can_be_read_without_javascript(
    browser: Browser, live_server: LiveServer, upstream: Upstream, operator: User
) -> None:
    upstream.steps["reserve stock-1"] = step_answer({"reserved": 1, "whole": True})
    upstream.add("one", recorded("complete.order-pipeline"))
    context = browser.new_context(java_script_enabled=False)
    sign_in(context, live_server, operator)
    page = context.new_page()
    page.goto(url_of(live_server, "one"))

    page.locator("#step-1-more summary").click()
    page.locator("#step-1-more").get_by_role("link", name="Load full output").click()

    expect(page.locator("pre.value")).to_contain_text('"whole": true')
    context.close()


def test_opening_a_step_reads_its_own_output_and_no_other(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    steps = [step(f"step {n}-1", attempt(n, n + 0.5), output={"n": n}) for n in range(30)]
    upstream.add("one", running(*steps, status="complete"))
    reader.goto(url_of(live_server, "one"))
    trees = reader.locator("#steps .tree:not(:empty)")
    expect(trees).to_have_count(0)

    reader.locator("#step-3-more summary").first.click()

    expect(reader.locator("#step-3-more .tree")).to_contain_text("n")
    expect(reader.locator("#step-3-more .tree-search")).to_be_visible()
    expect(trees).to_have_count(1)


def test_bytes_are_saved_as_a_file(
    reader: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.steps["reserve stock-1"] = iter([b"\x00\x01" * 500] * 2)
    upstream.add("one", recorded("complete.order-pipeline"))
    reader.goto(url_of(live_server, "one"))
    reader.locator("#step-1-more summary").click()

    with reader.expect_download() as download:
        reader.locator("#step-1-more").get_by_role("link", name="Download").click()

    assert download.value.suggested_filename == "one-reserve_stock-1.bin"
    assert download.value.path().read_bytes() == b"\x00\x01" * 1000
