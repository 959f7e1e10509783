"""Moments in the zone that the reader chose; whoever chose none reads UTC."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.models import User
from tests.browser.conftest import sign_in
from tests.browser.test_instance_page import url_of
from tests.browser.test_timeline import month
from tests.views.instance.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

UTC = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})? UTC$")
TOKYO = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{3})? GMT\+9$")


def test_moments_are_shown_in_the_chosen_zone_until_another_is_chosen(
    screen: Page, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", month())
    screen.goto(url_of(live_server, "one"))
    moment = screen.locator("main time:not([data-age], [data-elapsed], [data-countdown])").first
    expect(moment).to_have_text(UTC)
    told = moment.text_content() or ""
    hour = int(told[11:13])

    screen.get_by_label("Times in").select_option("Asia/Tokyo")

    expect(moment).to_have_text(TOKYO)
    assert int((moment.text_content() or "")[11:13]) == (hour + 9) % 24
    expect(moment).to_have_attribute("title", re.compile(rf"^{re.escape(told)}\n.+ GMT\+9"))
    screen.reload()
    expect(moment).to_have_text(TOKYO)
    screen.get_by_label("Times in").select_option("UTC")
    expect(moment).to_have_text(told)


def test_ones_own_zone_is_offered_by_its_name(
    browser: Browser, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", month())
    with browser.new_context(timezone_id="America/Lima") as context:
        sign_in(context, live_server, User.objects.create_user("ana"))
        page = context.new_page()
        page.goto(url_of(live_server, "one"))

        page.get_by_label("Times in").select_option("America/Lima (yours)")

        expect(page.locator("main time[data-text]").first).to_have_text(re.compile(r" GMT-5$"))


def test_without_javascript_moments_are_in_utc_and_no_choice_is_offered(
    browser: Browser, live_server: LiveServer, upstream: Upstream
) -> None:
    upstream.add("one", month())
    with browser.new_context(java_script_enabled=False) as context:
        sign_in(context, live_server, User.objects.create_user("ana"))
        page = context.new_page()
        page.goto(url_of(live_server, "one"))

        expect(page.get_by_label("Times in")).to_be_hidden()
        expect(page.locator("main time:not([data-age])").first).to_have_text(UTC)
