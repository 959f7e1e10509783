"""With the keyboard alone: through each page by Tab, and from the list to the end of many."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.simulator.server import Server
from tests.browser.shown import SHOWN, Show, furnish
from tests.browser.test_bulk import SOON, poll, worker_works
from tests.fixtures import Watched
from tests.gates import Allowing
from tests.operations.many import add, patched, states

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What can be used now: of radio buttons one is a stop for all; behind an open dialog nothing is.
CONTROLS = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const among = document.querySelector("dialog:modal") ?? document;
  const isUsable = (one) => !one.disabled && one.tabIndex >= 0
    && one.checkVisibility({ visibilityProperty: true }) && (one.type !== "radio" || one.checked);
  window.controls = [...among.querySelectorAll(all)].filter(isUsable);
  document.activeElement.blur();
  return controls.map((one) => one.outerHTML.slice(0, 160));
}"""
#: Where the focus is among them, and whether that is to be seen.
STOP = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { bottom, top, left, right } = one.getBoundingClientRect();
  return {
    place: controls.indexOf(one),
    html: one.outerHTML.slice(0, 160),
    isMarked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
    isInSight: bottom > 0 && top < innerHeight && right > 0 && left < innerWidth,
  };
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_every_control_of_every_page_is_reached_by_tab_and_is_seen_to_have_the_focus(
    window: Page, watched: Watched, configured: Server, width: int
) -> None:
    furnish(watched)
    window.set_viewport_size({"width": width, "height": 900})
    window.add_init_script("window.setInterval = () => 0")  # nothing is refreshed on the way

    wrong = {name: trouble for name, show in SHOWN.items() if (trouble := met(window, show))}

    assert wrong == {}


def met(page: Page, show: Show) -> dict[str, list[str]]:
    """What is wrong on the way through the page: {} when nothing is."""
    show(page)
    controls: list[str] = page.evaluate(CONTROLS)
    stops = walked(page, len(controls))
    reached = {stop["place"] for stop in stops}
    found = {
        "not reached": [html for at, html in enumerate(controls) if at not in reached],
        "no mark": [stop["html"] for stop in stops if not stop["isMarked"]],
        "out of sight": [stop["html"] for stop in stops if not stop["isInSight"]],
        "no name": nameless(page),
    }
    return {what: those for what, those in found.items() if those}


def walked(page: Page, controls: int) -> list[dict[str, Any]]:
    """Where Tab leads, until it has been everywhere; from the end of the page to its beginning."""
    stops: list[dict[str, Any]] = []
    for _ in range(controls + 10):
        page.keyboard.press("Tab")
        if stop := page.evaluate(STOP):
            stops.append(stop)
        if len({stop["place"] for stop in stops} - {-1}) == controls:
            break
    return stops


def tab_to(page: Page, control: Locator) -> None:
    """Presses Tab until the control has the focus."""
    expect(control).to_be_visible()
    for _ in range(200):
        if control.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {control}")


def press(page: Page, control: Locator, key: str = "Enter") -> None:
    tab_to(page, control)
    page.keyboard.press(key)


def test_all_that_match_are_selected_looked_at_ended_watched_stopped_and_resumed(
    screen: Page, watched: Watched, configured: Server
) -> None:
    add(watched, "waiting", 60)
    screen.goto("/instances/?q=status:waiting")

    press(screen, screen.get_by_label("Select all on this page"), "Space")
    press(screen, screen.get_by_role("button", name="Select all 60 that match"))
    press(screen, screen.get_by_role("button", name="Terminate…"))
    expect(screen.locator("h1")).to_have_text("Terminate: 60 instances")
    expect(screen.locator("main")).to_contain_text("60 instances, all that match")
    tab_to(screen, screen.get_by_label("Reason"))
    screen.keyboard.type("ticket 4711")
    tab_to(screen, screen.get_by_label("Type the number of instances"))
    screen.keyboard.type("60")
    press(screen, screen.get_by_role("button", name="Terminate: 60 instances"))

    stage = screen.locator("#stage-title")
    expect(stage).to_have_text("Running")
    budget = Allowing(100)
    watched.client._transport._gate = budget
    worker_works(watched)
    poll(screen)
    done = screen.get_by_role("meter", name="Settled")
    expect(done).to_have_attribute("aria-valuenow", "31", timeout=SOON)
    press(screen, screen.get_by_role("button", name="Pause"))
    expect(stage).to_have_text("Paused")
    press(screen, screen.get_by_role("button", name="Resume"))
    expect(stage).to_have_text("Running")
    press(screen, screen.get_by_role("button", name="Stop"))
    expect(stage).to_have_text("Stopped")

    budget.left = 100
    operation = worker_works(watched, later=60)
    number = len(patched(watched))
    assert 31 < number < 60
    assert states(operation) == {"done": number, "skipped": 60 - number}


def test_columns_are_chosen_by_keyboard(screen: Page, watched: Watched) -> None:
    add(watched, "waiting", 2)
    screen.goto("/instances/")

    press(screen, screen.locator("summary", has_text="Columns"))
    press(screen, screen.get_by_label("Version"), "Space")
    press(screen, screen.get_by_label("Columns").get_by_role("button", name="Apply"))

    expect(screen.locator("#rows thead")).to_contain_text("Version")


def nameless(page: Page) -> list[str]:
    """What can have the focus and is called nothing, as a screen reader is told."""
    told = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return [
        node["role"]["value"]
        for node in told["nodes"]
        if not node["ignored"]
        and any(one["name"] == "focusable" for one in node.get("properties", []))
        and node["role"]["value"] not in {"RootWebArea", "main", "dialog"}
        and not node.get("name", {}).get("value", "").strip()
    ]
