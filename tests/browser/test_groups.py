"""From the list of groups to what one is about, what somebody says of it, and its restart."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import live_server_helper

from dashboard.models import Decision, ErrorGroup, recording
from dashboard.simulator.server import Server
from tests.browser.conftest import sign_in
from tests.models.test_error_groups import failed
from tests.rows import account, minutes, workflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def group(db: None, configured: Server) -> ErrorGroup:
    """One cause that three instances failed for, and another."""
    of = workflow(of=account(configured.account_id))
    for number in range(4):
        words = "Card was declined" if number == 3 else f"Customer cus_{number}a not found " * 9
        told = failed(words, started=timezone.now() - minutes(20))
        recording.record_detail(of, f"order-{number}", told, now=timezone.now())
    return ErrorGroup.objects.order_by("pk")[0]


def test_somebody_finds_a_group_ignores_it_and_reads_it_again(
    screen: Page, group: ErrorGroup
) -> None:
    screen.goto("/")
    screen.get_by_role("navigation", name="Pages").get_by_role("link", name="Groups").click()
    screen.get_by_role("link", name=re.compile("Customer <id> not found")).click()

    expect(screen.get_by_role("heading", name="NotFoundError")).to_be_visible()
    expect(screen.locator("#figures")).to_contain_text("3 times")
    summary = screen.get_by_text("Ignore until…").first
    summary.focus()
    screen.keyboard.press("Enter")
    form = screen.locator("details[open]")
    form.get_by_label("Until so many more have failed").fill("5")
    form.get_by_label("Why").fill("known, ticket 4711")
    screen.keyboard.press("Tab")
    screen.keyboard.press("Enter")

    expect(screen.locator("#sayings")).to_contain_text("known, ticket 4711")
    assert Decision.objects.get().further == 5
    screen.goto("/groups/?state=ignored")
    expect(screen.locator("table.groups tbody tr")).to_have_count(1)


def test_the_restart_of_a_group_leads_to_its_preview(screen: Page, group: ErrorGroup) -> None:
    screen.goto(group.get_absolute_url())

    screen.get_by_role("button", name="Restart these 3…").click()

    expect(screen.get_by_role("heading", level=1)).to_have_text("Restart: 3 instances")
    expect(screen.locator("body")).not_to_contain_text("order-3")


@pytest.mark.parametrize("has_scripts", [True, False], ids=["with scripts", "without"])
def test_nothing_is_cut_off_on_a_phone(
    browser: Browser,
    live_server: live_server_helper.LiveServer,
    operator: object,
    group: ErrorGroup,
    *,
    has_scripts: bool,
) -> None:
    size = {"width": 390, "height": 844}
    context = browser.new_context(
        viewport=size, java_script_enabled=has_scripts, base_url=live_server.url
    )
    sign_in(context, live_server, operator)
    page = context.new_page()

    for path in ("/groups/", group.get_absolute_url()):
        page.goto(path)
        expect(page.locator("body")).to_contain_text("NotFoundError")
        width = page.locator("main").bounding_box()
        assert width is not None
        assert width["width"] <= 390
        for card in page.locator(".card").all():
            box = card.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 390
    context.close()
