from __future__ import annotations

from contextlib import suppress
from pprint import pformat
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, URLPattern, resolve, reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from dashboard.simulator.server import Server
from dashboard.urls import urlpatterns
from tests.browser.shown import SHOWN, furnish
from tests.browser.shown_elsewhere import ELSEWHERE, furnish_elsewhere
from tests.fixtures import Watched

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ALL = SHOWN | ELSEWHERE
#: What `axe` calls the rules of WCAG 2.2 AA, and those of good practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: Routes that answer with no page of their own: files, fragments, and what only takes a form.
NO_PAGES = {
    *("export", "audit-export", "operation-outcome", "frozen-output", "snapshot-output"),
    *("step-output", "budget-meter", "healthz", "readyz", "metrics"),
    *("group-decide", "acknowledge-alert", "remove-alert-rule", "test-alert-channel"),
    *("remove-alert-channel", "end-alert-silence", "remove-mark", "pin", "snapshots", "revoke"),
    *("operation-steer", "operation-again", "new-saved-view", "change-saved-view"),
    *("copy-saved-view", "delete-saved-view", "saved-view"),
    *("person-password", "person-factor", "person-sign-out", "grant", "remove-grant"),
    "revoke-token",
    # The way in, and what is behind asking for the password again: see the test below.
    *("account_login", "mfa_authenticate", "account_inactive", "account_logout"),
    *("socialaccount_login_cancelled", "openid_connect_login", "openid_connect_callback"),
    *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_generate_recovery_codes", "account_change_password", "account_reauthenticate"),
    "mfa_reauthenticate",
    # The same page as another, of another part of the same link.
    "frozen-instance",
}

#: Pages that differ in what one does there.
WALKED = ["the list", "a preview", "the overview", "a group", "an errored instance", "a new rule"]
#: Numbers what can be focused, but for what arrow keys reach; tells how many there are.
NUMBER_CONTROLS = """() => {
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const isFirst = (one) => one.type !== "radio" || one.checked
    || !document.querySelector(`input[name="${one.name}"]:checked`)
       && document.querySelector(`input[name="${one.name}"]`) === one;
  const found = [...document.querySelectorAll(all)].filter((one) =>
    one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true})
    && isFirst(one));
  found.forEach((one, place) => { one.dataset.place = place; });
  return found.length;
}"""
#: The number of what has the focus, its text, and whether it looks any different for it.
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0
    || style.boxShadow !== "none";
  return [one.dataset.place === undefined ? null : Number(one.dataset.place),
          one.outerHTML.slice(0, 200), isSeen];
}"""

#: What makes the page scroll sideways, if anything does.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((one) => one.getBoundingClientRect().right > width)
    .map((one) => one.outerHTML.slice(0, 120)).slice(-3);
}"""


@pytest.fixture
def furnished(watched: Watched, configured: Server, window: Page) -> Page:
    """A window of somebody who may see all there is, and something to see everywhere."""
    User.objects.update(role="admin")
    furnish(watched)
    furnish_elsewhere(watched)
    return window


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(
    furnished: Page, axe: str, scheme: str, width: int
) -> None:
    furnished.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    furnished.set_viewport_size({"width": width, "height": 900})

    found, wide, routes = {}, [], set()
    for name, show in ALL.items():
        show(furnished)
        path = urlsplit(furnished.url).path
        with suppress(Resolver404):
            routes.add(resolve(path).url_name)
        furnished.evaluate(axe)  # The page's own policy lets no other script in.
        if broken := violations(furnished):
            found[name] = broken
        if too_wide := furnished.evaluate(TOO_WIDE):
            wide.append((name, too_wide))

    assert found == {}, pformat(found, width=200)
    assert wide == []
    assert {one.name for one in urlpatterns if isinstance(one, URLPattern)} - routes == NO_PAGES


@pytest.mark.parametrize("path", ["account_login", "account_inactive", "openid_connect_login"])
def test_axe_finds_nothing_on_the_way_in(
    live_server: LiveServer, page: Page, axe: str, path: str
) -> None:
    arguments = ["sso"] if path == "openid_connect_login" else []
    page.goto(live_server.url + reverse(path, args=arguments))
    page.evaluate(axe)

    assert violations(page) == []


@pytest.mark.parametrize("width", [720, 360])
def test_no_page_scrolls_sideways_at_200_percent(furnished: Page, width: int) -> None:
    """A window of 1440 or 720 points, of which half as many are left."""
    furnished.set_viewport_size({"width": width, "height": 450})

    wide = []
    for name, show in ALL.items():
        show(furnished)
        if too_wide := furnished.evaluate(TOO_WIDE):
            wide.append((name, too_wide))

    assert wide == []


def test_nothing_moves_for_whoever_asked_for_less_motion(furnished: Page) -> None:
    furnished.emulate_media(reduced_motion="reduce")

    moving = {}
    for name, show in ALL.items():
        show(furnished)
        if running := furnished.evaluate("document.getAnimations().length"):
            moving[name] = running

    assert moving == {}


@pytest.mark.parametrize("name", WALKED)
def test_every_control_is_reached_by_the_tab_key_and_is_seen_to_be(
    furnished: Page, name: str
) -> None:
    ALL[name](furnished)
    wanted = furnished.evaluate(NUMBER_CONTROLS)
    assert wanted > 10

    reached, unseen = set(), []
    for _ in range(wanted + 30):
        furnished.keyboard.press("Tab")
        number, text, is_seen = furnished.evaluate(FOCUSED)
        reached.add(number)
        if number is not None and not is_seen:
            unseen.append(text)

    assert set(range(wanted)) - reached == set()
    assert unseen == []


def violations(page: Page) -> list[str]:
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in page.evaluate("tags => axe.run({runOnly: tags})", TAGS)["violations"]
        for node in rule["nodes"]
    ]
