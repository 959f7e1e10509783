"""The main promise: one command, nothing configured, and the first page holds live data."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.servers.dashboard import Dashboard

pytestmark = pytest.mark.start


class Visitor:
    """A person with a browser that keeps cookies and fills in one form."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        with self._opener.open(self.url + path, timeout=20) as answer:
            return str(answer.read().decode())

    def sign_in(self, name: str, password: str) -> None:
        page = self.get("/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token[1]}
        body = urllib.parse.urlencode(form).encode()
        with self._opener.open(f"{self.url}/sign-in/", body, timeout=20) as answer:
            assert answer.status == 200
        assert "sessionid" in {cookie.name for cookie in self.cookies}


def test_the_printed_sign_in_opens_pages_with_live_data(tmp_path: Path) -> None:
    started = time.monotonic()
    with Dashboard(tmp_path) as dashboard:
        visitor = Visitor(dashboard.url)
        visitor.sign_in(*dashboard.sign_in)
        while 'data-status="errored"' not in (page := visitor.get("/instances/")):
            assert time.monotonic() - started < 60, page[-3000:] + dashboard.tail()
            time.sleep(0.25)
        assert re.search(r"/accounts/[^/]+/workflows/[^/\"]+", visitor.get("/"))
        assert "Traceback" not in dashboard.output()
