"""Creating by keyboard and without JavaScript, and the workflow's pages under axe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django import live_server_helper

from dashboard.models import Operation, User, Version
from dashboard.models.operation import Stage
from dashboard.simulator.server import Server
from tests.browser.conftest import sign_in
from tests.browser.test_accessibility import violations
from tests.fixtures import Watched
from tests.insight.test_graph import WHOLE
from tests.views.operating import form_url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _orders(watched: Watched, configured: Server) -> None:
    for number in range(12):
        watched.add("errored" if number % 4 == 0 else "complete", instance_id=f"o-{number}")
    watched.advance(60)
    watched.sync()
    Version.objects.update(graph=WHOLE, graph_at=watched.clock(), has_dag=True)


def test_a_file_is_proposed_and_begun_by_keyboard(
    screen: Page, watched: Watched, tmp_path: Path
) -> None:
    rows = tmp_path / "orders.csv"
    rows.write_text("instance_id,params\na-1,1\na-2,2\n")
    screen.goto(form_url(watched, "create", is_batch="1"))
    expect(screen.get_by_label("File")).to_be_focused()
    screen.get_by_label("File").set_input_files(rows)

    screen.get_by_role("button", name="Read them").focus()
    screen.keyboard.press("Enter")

    create = screen.get_by_role("button", name="Create 2 instances")
    expect(create).to_be_visible()
    assert watched.sent("POST") == []
    create.focus()
    screen.keyboard.press("Enter")
    expect(screen.locator("#stage-title")).to_contain_text("Running")
    assert Operation.objects.get().stage == Stage.RUNNING


def test_wrong_lines_are_mended_in_place_without_javascript(
    browser: Browser,
    live_server: live_server_helper.LiveServer,
    operator: User,
    watched: Watched,
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=live_server.url)
    sign_in(context, live_server, operator)
    page = context.new_page()
    page.goto(form_url(watched, "create", is_batch="1"))
    box = page.get_by_label("Or pasted here")
    box.fill('{"instance_id": "a"}\n{"instance_id": "a"}')
    page.get_by_role("button", name="Read them").click()
    expect(page.get_by_text("Instance 1 has the id a already.")).to_be_visible()

    box.fill(box.input_value().replace('"a"}\n', '"b"}\n'))
    page.get_by_role("button", name="Read them").click()
    page.get_by_role("button", name="Discard").click()

    expect(page.locator("#stage-title")).to_have_text("Stopped")
    assert watched.sent("POST") == []
    context.close()


def test_the_charts_table_and_the_diagrams_list_open_by_keyboard(
    screen: Page, watched: Watched
) -> None:
    screen.goto(f"{watched.workflow().get_absolute_url()}?days=1")
    screen.get_by_text("As a table").focus()
    screen.keyboard.press("Enter")
    expect(screen.get_by_role("columnheader", name="p95").first).to_be_visible()

    screen.get_by_role("link", name="Diagram").first.click()
    expect(screen).to_have_url(re.compile("/versions/"))
    screen.get_by_text("As a list").focus()
    screen.keyboard.press("Enter")
    expect(screen.locator("#diagram-list").get_by_text("quantum_leap")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_the_pages_of_a_workflow(
    screen: Page,
    axe: str,
    watched: Watched,
    scheme: str,
    width: int,
) -> None:
    screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    screen.set_viewport_size({"width": width, "height": 900})
    batch = form_url(watched, "create", is_batch="1")
    screen.goto(batch)
    screen.get_by_label("Or pasted here").fill('{"params": {"n": 1}}')
    screen.get_by_role("button", name="Read them").click()
    expect(screen.get_by_role("button", name="Discard")).to_be_visible()
    proposal = screen.url

    for address in (
        watched.workflow().get_absolute_url(),
        Version.objects.get().get_absolute_url(),
        form_url(watched, "create"),
        batch,
        proposal,
    ):
        screen.goto(address)
        for closed in screen.locator("#content details:not([open]) > summary").all():
            closed.click()
        screen.evaluate(axe)  # The page's own policy lets no other script in.
        assert violations(screen) == [], address
        assert screen.evaluate("document.documentElement.scrollWidth") <= width, address
