from __future__ import annotations

import pytest
from playwright.sync_api import Page

from dashboard.simulator.server import Server
from tests.browser.shown import SHOWN, furnish
from tests.fixtures import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(
    window: Page, axe: str, watched: Watched, configured: Server, scheme: str, width: int
) -> None:
    furnish(watched)
    window.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    window.set_viewport_size({"width": width, "height": 900})

    found, wide = {}, []
    for name, show in SHOWN.items():
        show(window)
        window.evaluate(axe)  # The page's own policy lets no other script in.
        if broken := violations(window):
            found[name] = broken
        if window.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(name)

    assert found == {}
    assert wide == []


def violations(page: Page) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in page.evaluate("axe.run()")["violations"]
        for node in rule["nodes"]
    ]
