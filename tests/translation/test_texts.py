"""Whatever a page says can be translated: in each template, and on each page as it is."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import formats, translation
from django.utils.translation import trans_real
from pytest_django.fixtures import Settings

from tests.translation.in_templates import of_all
from tests.translation.pseudo import Pseudo, untranslated, words_of_rows
from tests.views.test_access import lines
from tests.views.world import person, world


def test_every_text_of_a_template_stands_where_a_translator_finds_it() -> None:
    assert of_all() == {}


@pytest.mark.django_db
def test_every_page_is_made_of_translated_texts_and_of_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there, user = world(), person("admin")
    data = words_of_rows()
    monkeypatch.setattr(translation, "_trans", Pseudo())
    browser = Client()
    browser.force_login(user)

    found = {}
    for line in lines():
        if line.get[0] not in {"in", "200"} or line.name.startswith("api-1:"):
            continue
        response = browser.get(there.address(line.address))
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if response.status_code == 200 and is_page:
            texts = untranslated(b"".join(response).decode(), data)
            if texts:
                found[line.name] = texts

    assert found == {}


@pytest.mark.django_db
def test_a_drawing_is_the_same_where_decimals_have_a_comma(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    there, user = world(), person("admin")
    settings.USE_I18N, settings.LANGUAGES = True, [*settings.LANGUAGES, ("de", "Deutsch")]
    monkeypatch.setattr(translation, "_trans", trans_real)
    formats.reset_format_cache()
    browser = Client(headers={"Accept-Language": "de"})
    browser.force_login(user)

    pages = {
        line.name: browser.get(there.address(line.address)).content.decode()
        for line in lines()
        if line.name in {"overview", "workflow", "group", "groups", "instance", "budget"}
    }
    trans_real.deactivate()
    formats.reset_format_cache()

    assert all('lang="de"' in page for page in pages.values())
    drawn = re.compile(r'<(?:svg|rect|line|text|polygon|path)\b[^>]*?="[\d.]*\d,\d*[%"][^>]*')
    assert {name: drawn.findall(page) for name, page in pages.items() if drawn.search(page)} == {}
