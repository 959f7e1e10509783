from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dashboard.models import SavedView, User
from tests.browser.test_keyboard import open_palette
from tests.browser.test_selection import boxes, fill
from tests.rows import account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _list(page: Page) -> None:
    page.goto("/instances/?q=-status:queued")


def _selected(page: Page) -> None:
    _list(page)
    boxes(page).nth(1).check()
    page.get_by_label("Select all on this page").check()
    expect(page.locator("#selection")).to_be_visible()


def _chooser(page: Page) -> None:
    page.goto("/instances/?columns=instance,status,doing,params.order.id&density=comfortable")
    page.locator("summary", has_text="Columns").click()


def _keys(page: Page) -> None:
    _list(page)
    page.keyboard.press("?")


def _palette(page: Page) -> None:
    _list(page)
    open_palette(page)
    page.locator("dialog input[name=q]").fill("i-")
    expect(page.locator("#go-results a").first).to_be_visible()


def _saving(page: Page) -> None:
    _list(page)
    expect(page.locator("#go-to[data-htmx-powered]")).to_be_visible()
    page.get_by_role("button", name="Save as view").click()
    expect(page.get_by_label("Name")).to_be_visible()


def _views(page: Page) -> None:
    page.goto("/views/")


def _go(page: Page) -> None:
    page.goto("/go/?q=nothing")


SHOWN = (_list, _selected, _chooser, _keys, _palette, _saving, _views, _go)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_the_list_its_bar_its_dialogs_and_the_views(
    screen: Page, axe: str, scheme: str, width: int
) -> None:
    account(synced_at=timezone.now())
    fill(3)
    SavedView.objects.create(
        owner=User.objects.get(), name="Mine", query="q=i", saved_at=timezone.now()
    )
    screen.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    screen.set_viewport_size({"width": width, "height": 900})

    for show in SHOWN:
        show(screen)
        screen.evaluate(axe)  # The page's own policy lets no other script in.
        assert violations(screen) == [], show.__name__
        assert screen.evaluate("document.documentElement.scrollWidth") <= width, show.__name__


def violations(page: Page) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in page.evaluate("axe.run()")["violations"]
        for node in rule["nodes"]
    ]
