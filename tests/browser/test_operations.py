"""Acting with the keyboard alone, in a dialog, and without JavaScript on pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import Operation
from dashboard.simulator.server import Server
from tests.fixtures import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def address(watched: Watched, configured: Server) -> str:
    """The page of an instance that waits."""
    instance_id = watched.add("waiting")
    watched.sync()
    return watched.row(instance_id).get_absolute_url()


@pytest.mark.parametrize("key", ["Enter", " "])
def test_a_dialog_opens_and_closes_by_keyboard_and_gives_the_focus_back(
    screen: Page, address: str, key: str
) -> None:
    screen.goto(address)
    button = screen.get_by_role("button", name="Restart…")
    button.focus()

    screen.keyboard.press(key)
    expect(screen.get_by_label("Restart from")).to_be_focused()
    screen.keyboard.press("Escape")

    expect(screen.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_somebody_terminates_from_the_dialog_and_reads_what_became_of_it(
    screen: Page, address: str, watched: Watched
) -> None:
    screen.goto(address)
    screen.get_by_role("button", name="Terminate…").click()
    dialog = screen.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("ticket 4711")

    dialog.get_by_role("button", name="Terminate", exact=True).click()

    panel = screen.locator("#operations")
    expect(panel).to_contain_text("ticket 4711")
    expect(panel).to_contain_text("Terminated.")
    panel.get_by_role("link", name="Terminate").click()
    expect(screen.get_by_text("Cloudflare’s answer")).to_be_visible()
    expect(screen.locator("#outcome")).to_contain_text("Done")
    assert watched.sent() == [{"status": "terminate"}]


def test_a_button_that_cannot_be_used_is_reached_by_keyboard_and_does_nothing(
    screen: Page, address: str, watched: Watched
) -> None:
    screen.goto(address)
    button = screen.get_by_role("button", name="Resume")
    expect(button).to_have_accessible_description(re.compile("Only a paused instance"))

    button.focus()
    expect(button).to_be_focused()
    screen.keyboard.press("Enter")

    expect(screen).to_have_url(re.compile(re.escape(address) + "$"))
    assert Operation.objects.count() == 0
    assert watched.sent() == []
