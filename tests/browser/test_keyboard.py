from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.models import SavedView, User
from tests.browser.test_selection import boxes, counted, fill
from tests.rows import THEN, instance, workflow

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_palette(screen: Page) -> None:
    """Before htmx is there the key leads to the plain page."""
    expect(screen.locator("#go-to[data-htmx-powered]")).to_be_visible()
    screen.keyboard.press("Control+k")


def test_the_sheet_lists_every_key_and_closes_again(screen: Page) -> None:
    screen.keyboard.press("?")

    sheet = screen.get_by_role("dialog", name="Keys")
    expect(sheet).to_be_visible()
    expect(sheet.locator("dd")).to_have_count(9)
    screen.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    screen.get_by_role("button", name="Keys").click()
    expect(sheet).to_be_visible()


def test_the_keys_go_through_the_rows_select_and_open(screen: Page) -> None:
    fill(6)
    screen.goto("/instances/")
    rows = screen.locator("#rows a.id")

    screen.keyboard.press("j")
    expect(rows.nth(0)).to_be_focused()
    screen.keyboard.press("j")
    screen.keyboard.press("j")
    expect(rows.nth(2)).to_be_focused()
    screen.keyboard.press("x")
    expect(counted(screen)).to_have_text("1 selected")
    screen.keyboard.press("j")
    screen.keyboard.press("j")
    screen.keyboard.press("Shift+X")
    expect(counted(screen)).to_have_text("3 selected")
    expect(boxes(screen).nth(3)).to_be_checked()
    screen.keyboard.press("k")
    screen.keyboard.press("x")
    expect(counted(screen)).to_have_text("2 selected")
    screen.keyboard.press("o")

    expect(screen).to_have_url(re.compile(r"/instances/i-2$"))


def test_keys_are_letters_while_somebody_types(screen: Page) -> None:
    fill(2)
    screen.goto("/instances/")

    screen.keyboard.press("/")
    expect(screen.locator("#q")).to_be_focused()
    screen.keyboard.type("jxko?/")

    expect(screen.locator("#q")).to_have_value("jxko?/")
    expect(screen.get_by_role("dialog")).to_have_count(0)


def test_no_single_key_sends_anything(screen: Page) -> None:
    fill(3)
    screen.goto("/instances/")
    boxes(screen).first.check()
    posts: list[str] = []
    screen.on("request", lambda it: posts.append(it.url) if it.method != "GET" else None)
    screen.keyboard.press("j")

    for key in "abcdefghilmnpqrstuvwyz0123456789":
        screen.keyboard.press(key)
        screen.keyboard.press(key.upper())
    screen.keyboard.press("Delete")
    screen.keyboard.press("Backspace")

    expect(counted(screen)).to_have_text("1 selected")
    assert posts == []


def test_the_palette_finds_as_one_types_and_goes_there_by_keyboard(screen: Page) -> None:
    instance("order-4711", created_on=THEN)
    workflow("order-pipeline")
    open_palette(screen)
    expect(screen.get_by_label("An id, a workflow, a view")).to_be_focused()

    screen.keyboard.type("order")
    found = screen.locator("#go-results a")
    expect(found).to_have_count(4)  # an instance, two workflows, and the search
    screen.keyboard.press("ArrowDown")
    screen.keyboard.press("ArrowDown")
    screen.keyboard.press("ArrowUp")
    expect(found.first).to_be_focused()
    screen.keyboard.press("Enter")

    expect(screen).to_have_url(re.compile("/workflows/orders/instances/order-4711$"))


def test_the_palette_takes_a_pasted_address_of_cloudflare(screen: Page) -> None:
    workflow("orders")
    open_palette(screen)

    screen.get_by_label("An id, a workflow, a view").fill(
        "https://dash.cloudflare.com/acc1/workers/workflows/orders"
    )
    screen.keyboard.press("Enter")

    expect(screen).to_have_url(re.compile("/accounts/acc1/workflows/orders/$"))


def test_a_list_is_saved_as_a_view_and_changed(screen: Page) -> None:
    fill(4)
    screen.goto("/instances/?q=status:errored")
    screen.get_by_role("button", name="Save as view").click()
    screen.get_by_label("Name").fill("Broken orders")
    screen.keyboard.press("Enter")

    expect(screen.get_by_role("heading", level=1)).to_have_text("Broken orders")
    screen.get_by_label("Without Running").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Broken orders changed")
    screen.get_by_role("button", name="Save the change").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Broken orders")
    view = SavedView.objects.get()
    assert view.owner == User.objects.get()
    assert view.query == "q=status:errored+-status:running"


def test_columns_are_chosen_and_moved_and_stand_in_the_address(screen: Page) -> None:
    fill(2)
    screen.goto("/instances/?q=status:errored")
    screen.locator("summary", has_text="Columns").click()
    screen.get_by_label("Version").check()
    screen.get_by_label("Workflow", exact=True).uncheck()
    screen.get_by_label("Comfortable").check()
    screen.get_by_role("button", name="Move Instance one place ahead").click()

    expect(screen).to_have_url(re.compile("columns=instance,status,doing,error,created,"))
    expect(screen.get_by_label("Columns", exact=True)).to_be_visible()
    heads = screen.locator("#rows thead th").all_inner_texts()
    assert [head.strip() for head in heads if head.strip()][1:3] == ["Instance", "Status"]
