from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from dashboard.models import Instance, User
from tests.browser.test_lists import refresh
from tests.rows import THEN, instance, minutes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill(number: int) -> list[str]:
    """So many instances; their keys as the list shows them, the newest first."""
    made = [
        instance(f"i-{place}", ("running", "errored")[place % 2], created_on=THEN + minutes(place))
        for place in range(number)
    ]
    return [str(row.pk) for row in reversed(made)]


def boxes(screen: Page) -> Locator:
    return screen.locator("#rows input[name=chosen]")


def counted(screen: Page) -> Locator:
    return screen.locator("#selection [data-count]")


def sent(screen: Page, button: str) -> dict[str, list[str]]:
    """What the bar sends when the button is pressed."""
    heard: list[str] = []

    def hear(route: Route) -> None:
        if route.request.method != "POST":
            return route.fallback()
        heard.append(route.request.post_data or "")
        return route.fulfill(body="taken")

    screen.route("**/*", hear)
    screen.locator("#selection").get_by_role("button", name=button).click()
    expect(screen.get_by_text("taken")).to_be_visible()
    [body] = heard
    return {k: v for k, v in parse_qs(body).items() if k != "csrfmiddlewaretoken"}


def test_the_bar_appears_with_the_first_row_and_moves_nothing(screen: Page) -> None:
    pks = fill(5)
    screen.goto("/instances/")
    expect(screen.locator("#selection")).not_to_be_visible()
    before = screen.locator("#rows").bounding_box()

    boxes(screen).nth(1).check()

    expect(counted(screen)).to_have_text("1 selected")
    assert screen.locator("#rows").bounding_box() == before
    assert sent(screen, "Pause") == {"kind": ["pause"], "chosen": [pks[1]], "number": ["1"]}


def test_the_header_selects_the_page_and_then_all_that_match_can_be_meant(screen: Page) -> None:
    fill(123)
    screen.goto("/instances/?q=status:errored&columns=status,instance&sort=duration")

    screen.get_by_label("Select all on this page").check()
    expect(counted(screen)).to_have_text("50 selected")
    screen.get_by_role("button", name="Select all 61 that match").click()

    expect(counted(screen)).to_have_text("61 selected: all that match")
    expect(screen.get_by_role("button", name="Clear")).to_be_focused()
    assert sent(screen, "Terminate") == {
        "kind": ["terminate"], "matching": ["1"], "list": ["q=status:errored"], "number": ["61"],
    }  # fmt: skip


def test_one_taken_out_of_all_that_match_leaves_those_of_the_page(screen: Page) -> None:
    fill(60)
    screen.goto("/instances/")
    screen.get_by_label("Select all on this page").check()
    screen.get_by_role("button", name="Select all 60 that match").click()

    boxes(screen).first.uncheck()

    expect(counted(screen)).to_have_text("49 selected")


def test_shift_and_a_click_select_a_range(screen: Page) -> None:
    pks = fill(9)
    screen.goto("/instances/")

    boxes(screen).nth(6).click()
    boxes(screen).nth(2).click(modifiers=["Shift"])

    expect(counted(screen)).to_have_text("5 selected")
    boxes(screen).nth(3).click()
    assert sent(screen, "Restart")["chosen"] == [pks[6], pks[2], pks[4], pks[5]]


def test_a_selection_survives_refreshes_and_pages_and_reloads(screen: Page) -> None:
    pks = fill(60)
    screen.goto("/instances/")
    boxes(screen).nth(0).check()
    refresh(screen)
    expect(boxes(screen).nth(0)).to_be_checked()

    screen.get_by_role("link", name="Next").click()
    expect(boxes(screen)).to_have_count(10)
    expect(counted(screen)).to_have_text("1 selected, 1 not on this page")
    boxes(screen).nth(9).check()
    screen.reload()
    expect(boxes(screen).nth(9)).to_be_checked()

    assert sent(screen, "Resume")["chosen"] == [pks[0], pks[59]]


def test_another_search_begins_with_nothing_selected(screen: Page) -> None:
    fill(4)
    screen.goto("/instances/")
    boxes(screen).nth(0).check()

    screen.goto("/instances/?q=status:errored")

    expect(screen.locator("#selection")).not_to_be_visible()
    screen.goto("/instances/?columns=status,instance&density=comfortable")
    expect(counted(screen)).to_have_text("1 selected")
    screen.get_by_role("button", name="Clear").click()
    expect(screen.locator("#selection")).not_to_be_visible()


def test_rows_stand_still_while_some_are_selected_and_the_rest_is_refreshed(screen: Page) -> None:
    pks = fill(4)
    screen.goto("/instances/")
    refresh(screen)
    boxes(screen).nth(0).check()
    changed = screen.locator(f"#instance-{pks[3]} .badge")
    Instance.objects.filter(pk=pks[3]).update(status="paused")
    instance("brand-new", created_on=THEN + minutes(999))

    refresh(screen)
    expect(screen.get_by_text("1 new: show")).to_be_visible()
    expect(changed).to_have_text(re.compile("Running"))
    expect(screen.get_by_text("rows stand still")).to_be_visible()
    refresh(screen)  # Nothing is new; what comes after the clearing must be whole all the same.

    screen.get_by_role("button", name="Clear").click()
    refresh(screen)
    expect(changed).to_have_text(re.compile("Paused"))
    expect(screen.get_by_text("rows stand still")).not_to_be_visible()


def test_rows_stand_still_while_a_dialog_is_open(screen: Page) -> None:
    pks = fill(2)
    screen.goto("/instances/")
    screen.keyboard.press("?")
    Instance.objects.filter(pk=pks[0]).update(status="paused")
    refresh(screen)
    badge = screen.locator(f"#instance-{pks[0]} .badge")
    expect(badge).to_have_text(re.compile("Errored"))

    screen.keyboard.press("Escape")
    refresh(screen)

    expect(badge).to_have_text(re.compile("Paused"))


def test_who_may_not_act_has_nothing_to_select(screen: Page) -> None:
    fill(2)
    User.objects.update(role="viewer")

    screen.goto("/instances/")

    expect(screen.locator("#rows tbody tr")).to_have_count(2)
    expect(boxes(screen)).to_have_count(0)
    screen.keyboard.press("j")
    screen.keyboard.press("x")
    assert json.loads(screen.evaluate("JSON.stringify(sessionStorage)")) == {}


def test_without_scripts_the_ticked_rows_of_the_page_are_sent(window: Page, base_url: str) -> None:
    pks = fill(3)
    assert window.context.browser is not None
    plain = window.context.browser.new_context(
        base_url=base_url,
        java_script_enabled=False,
        storage_state=window.context.storage_state(),
    )
    page = plain.new_page()
    page.goto("/instances/")

    boxes(page).nth(1).check()

    assert sent(page, "Pause") == {"kind": ["pause"], "chosen": [pks[1]]}
    plain.close()
