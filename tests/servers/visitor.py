"""A person with a browser that keeps cookies, reads pages and presses buttons; no JavaScript."""

from __future__ import annotations

import html
import http.cookiejar
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    status: int
    text: str


class Visitor:
    """`pages` holds every page that was seen, for a test to search."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self.pages: list[Page] = []
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, path: str, form: dict[str, str] | None = None) -> Page:
        """The page at this path after all redirects, whatever its status."""
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(self.url + path, body, timeout=30) as answer:
                page = Page(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                page = Page(error.code, error.read().decode())
        self.pages.append(page)
        return page

    def get(self, path: str) -> str:
        return self.open(path).text

    def sign_in(self, name: str, password: str) -> None:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get("/sign-in/"))
        assert token is not None
        form = {"login": name, "password": password, "csrfmiddlewaretoken": token[1]}
        assert self.open("/sign-in/", form).status == 200
        assert "sessionid" in {cookie.name for cookie in self.cookies}

    def press(self, page: str, button: str) -> Page:
        """Sends the form of the page that holds the button with this word."""
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", page, re.DOTALL):
            if re.search(rf"<button[^>]*>\s*{button}\s*</button>", form):
                fields = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form)
                return self.open(
                    "/operations/", {name: html.unescape(value) for name, value in fields}
                )
        raise AssertionError(f"no button {button} on this page")

    def wait_for(self, path: str, text: str, seconds: float = 60.0) -> str:
        """Reloads the page until it holds the text."""
        deadline = time.monotonic() + seconds
        while text not in (page := self.get(path)):
            assert time.monotonic() < deadline, f"{text!r} never came: {page[-4000:]}"
            time.sleep(0.3)
        return page
