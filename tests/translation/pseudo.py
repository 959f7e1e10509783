"""A language in which whatever was translated stands in brackets: ⟦Sign in⟧."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.translation import trans_null

from tests.translation.in_templates import SPOKEN, THE_SAME, VOID, WORD

BRACKETED = re.compile(r"⟦[^⟦⟧]*⟧")
#: The same in every language: a moment, an address, an id, how instances begin, kinds of files.
DATA = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|https?://\S+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\b(api|binding|event|cron|CSV|NDJSON)\b|version-"
)


class Pseudo:
    """What Django's `translation` asks for each text."""

    def get_language(self) -> str:
        return "en-x-pseudo"

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧" if message else message

    def ngettext(self, singular: str, plural: str, number: float) -> str:
        return self.gettext(singular if number == 1 else plural)

    def pgettext(self, _context: str, message: str) -> str:
        return self.gettext(message)

    def npgettext(self, _context: str, singular: str, plural: str, number: float) -> str:
        return self.ngettext(singular, plural, number)

    def __getattr__(self, name: str) -> Any:
        return getattr(trans_null, name)


class _Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if not self.silent and tag != "meta":
            self.texts += [text for name, text in attrs if name in SPOKEN and text]
        if tag not in VOID and (self.silent or tag in THE_SAME or told.get("translate") == "no"):
            self.silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)


def untranslated(page: str, data: list[str]) -> list[str]:
    """The texts of a page outside of all brackets that are not `data`, the words of rows."""
    reading = _Visible()
    reading.feed(_outside(page))
    found = []
    for text in reading.texts:
        rest = DATA.sub(" ", text)
        for word in data:
            rest = rest.replace(word, " ")
        if WORD.search(rest):
            found.append(" ".join(text.split()))
    return found


def _outside(page: str) -> str:
    """The page without what stands in brackets, from the innermost on; tags in them stay."""
    while BRACKETED.search(page):
        page = BRACKETED.sub(lambda found: "".join(re.findall(r"<[^>]*>", found[0])), page)
    return page


def words_of_rows() -> list[str]:
    """Every text that a row of the database holds, the longest first."""
    found: set[str] = set()
    for model in apps.get_app_config("dashboard").get_models():
        texts = [
            field.attname
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField)
        ]
        for row in model._default_manager.values_list(*texts) if texts else ():
            found.update(text for text in row if text and WORD.search(text))
    return sorted(found, key=len, reverse=True)
