"""Preparing a restart and an event in the dialog, and a page that goes on by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.simulator.plan import Do, Failure, Plan, Retries, in_turn
from dashboard.simulator.server import Server
from dashboard.views import live
from tests.fixtures import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BROKEN = Failure("Error", "upstream returned 503")
PLAN = Plan(
    in_turn(
        Do("charge card", 200, {"ok": True}),
        Do("send invoice", 300, failures=(BROKEN,), fails=True, retries=Retries(0)),
    )
)

BROKEN_TEXTS = {
    "[1, 2": "line 1, column 6",
    '{"a" 1}': "line 1, column 6",
    "{a: 1}": "line 1, column 2",
    "[1,]": "line 1, column 4",
    "01": "line 1, column 2",
    "nul": "line 1, column 1",
    '["a\nb"]': "line 1, column 2",
    "{} {}": "line 1, column 4",
    "[1}": "line 1, column 3",
}


def open_page(screen: Page, watched: Watched, state: str, **facts: object) -> str:
    instance_id = watched.add(state, **facts)
    watched.sync()
    address = watched.row(instance_id).get_absolute_url()
    screen.goto(address)
    return instance_id


def test_choosing_a_step_shows_at_once_what_is_kept_and_loses_nothing_typed(
    screen: Page, watched: Watched, configured: Server
) -> None:
    open_page(screen, watched, "errored", plan=PLAN)
    screen.get_by_role("button", name="Restart…").click()
    dialog = screen.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Runs again: 2")).to_be_visible()
    dialog.get_by_label("Reason").fill("the mailer is back")

    dialog.get_by_label("Restart from").select_option("send invoice-1")

    expect(dialog.get_by_role("heading", name="Kept: 1")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_have_value("the mailer is back")
    dialog.get_by_role("button", name="Restart", exact=True).click()
    expect(screen.locator("#operations")).to_contain_text("the mailer is back")
    assert watched.sent() == [
        {"status": "restart", "from": {"name": "send invoice", "count": 1, "type": "do"}}
    ]


def test_the_start_that_repeats_least_is_taken_with_the_keyboard(
    screen: Page, watched: Watched, configured: Server
) -> None:
    open_page(screen, watched, "errored", plan=PLAN)
    screen.get_by_role("button", name="Restart…").focus()
    screen.keyboard.press("Enter")
    link = screen.get_by_role("link", name="Restart from send invoice, keeps 1 step")

    link.focus()
    screen.keyboard.press("Enter")

    expect(screen.get_by_label("Restart from")).to_have_value("1")
    expect(link).to_have_count(0)


def test_an_event_says_where_its_json_is_broken_and_sets_it_in_order(
    screen: Page, watched: Watched, configured: Server
) -> None:
    open_page(screen, watched, "waiting-for-event")
    screen.get_by_role("button", name="Send event…").click()
    dialog = screen.get_by_role("dialog")
    field = dialog.get_by_label("Payload")

    field.fill('{"a": 1,\n  "b": }')
    expect(dialog.get_by_text("Not JSON at line 2, column 8")).to_be_visible()
    expect(dialog.get_by_role("button", name="Format")).to_be_disabled()
    for text, place in BROKEN_TEXTS.items():
        field.fill(text)
        expect(dialog.get_by_role("status")).to_have_text(f"Not JSON at {place}")
    field.fill('{"a":[1]}')
    dialog.get_by_role("button", name="Format").click()

    expect(field).to_have_value('{\n  "a": [\n    1\n  ]\n}')
    dialog.get_by_label("Event type").fill("aproval")
    field.focus()
    expect(dialog.get_by_text("Nobody waits for “aproval” now.")).to_be_visible()
    expect(field).to_have_value(re.compile("a"))


def test_the_now_line_and_the_chip_go_on_while_no_poll_brings_anything(
    screen: Page, watched: Watched, configured: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "GOES_ON", 10**10)
    open_page(screen, watched, "running")
    # A swap would take this away, for the server knows nothing of it.
    screen.evaluate("document.querySelector('#instance h1').dataset.untouched = ''")
    age = screen.locator("#live time")
    first = age.get_attribute("datetime")
    line = screen.locator(".grid .now-line")
    was = line.get_attribute("x1")

    for _ in range(3):
        with screen.expect_response(lambda answer: answer.status == 304):
            pass

    expect(screen.locator("#live")).to_contain_text("Live")
    expect(age).not_to_have_attribute("datetime", first or "")
    expect(line).not_to_have_attribute("x1", was or "")
    expect(screen.locator("#instance h1[data-untouched]")).to_have_count(1)


def test_a_page_that_is_told_nothing_any_more_says_so(
    screen: Page, watched: Watched, configured: Server
) -> None:
    open_page(screen, watched, "sleeping")
    chip = screen.locator("#live")
    expect(chip.get_by_text("Live", exact=True)).to_be_visible()

    screen.evaluate("document.getElementById('live').dataset.staleFrom = '2026-01-01T00:00:00Z'")

    expect(chip.get_by_text("Not refreshed")).to_be_visible()
    expect(chip.get_by_text("Live", exact=True)).to_be_hidden()
