"""The pictures of the README, taken from the running application: `make screenshots`."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers.dashboard import ROOT, Dashboard

TARGET = ROOT / "docs" / "screenshots"


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Dashboard(Path(folder)) as dashboard,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        desk = signed_in(browser, dashboard, width=1440, height=900, scheme="light")
        while desk.locator("#sync-strip .when-fresh:visible").count() == 0:
            time.sleep(1)  # The first sync waits for its share of the budget.
            desk.goto(f"{dashboard.url}/instances/")
        take(desk, f"{dashboard.url}/", "overview")
        take(desk, f"{dashboard.url}/instances/", "instances")
        desk.goto(f"{dashboard.url}/instances/?status=errored&workflow=refund-saga&q=refund")
        address = instance_address(desk, dashboard)
        take(desk, address, "instance")
        phone = signed_in(browser, dashboard, width=390, height=844, scheme="dark")
        phone.goto(f"{dashboard.url}/instances/?status=waiting")
        take(phone, instance_address(phone, dashboard), "phone")
        browser.close()


def signed_in(
    browser: Browser, dashboard: Dashboard, *, width: int, height: int, scheme: str
) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Lisbon",
    )
    page = context.new_page()
    name, password = dashboard.sign_in
    page.goto(f"{dashboard.url}/sign-in/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def instance_address(page: Page, dashboard: Dashboard) -> str:
    """The first instance of the list that is shown."""
    found = re.search(r'href="(/accounts/[^"]+/instances/[^"]+)"', page.content())
    assert found is not None
    return dashboard.url + found[1]


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_timeout(500)
    page.screenshot(path=TARGET / f"{name}.png")


if __name__ == "__main__":
    main()
