"""Who gets which answer at which address: the table beside this file, held for every route.

A route that is not in it fails, so that nobody forgets to say who may use a new page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from dashboard.models import User
from tests.views.world import PEOPLE, SECRET, World, person, world

pytestmark = pytest.mark.django_db
NO_FORM = "405"


class Line(NamedTuple):
    """A route: what each of PEOPLE gets for GET and for POST, its address, and what is posted."""

    name: str
    get: list[str]
    post: list[str]
    address: str
    body: str

    def expected(self, who: str) -> tuple[str, str]:
        place = list(PEOPLE).index(who)
        return self.get[place], self.post[place]


def lines() -> list[Line]:
    text = Path(__file__).with_name("access_table.txt").read_text(encoding="utf-8")
    told = [line.split("|") for line in text.splitlines() if line and not line.startswith("#")]
    return [
        Line(name.strip(), get.split(), post.split(), address.strip(), body.strip())
        for name, get, post, address, body in told
    ]


def routes(patterns: list[Any] | None = None) -> Iterator[str]:
    """The name of every route there is."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            inside = f"{one.namespace}:" if one.namespace else ""
            yield from (inside + name for name in routes(one.url_patterns))
        elif isinstance(one, URLPattern):
            yield one.name or str(one.pattern)


def ask(
    user: User | None,
    method: str,
    line: Line,
    there: World,
    *,
    has_token: bool = True,
    **headers: str,
) -> tuple[str, str]:
    """The status, "in" for the way to the sign-in page, and what was sent; nothing it does stays.
    Without `has_token` a form is sent that no page of ours has made."""
    data = parse_qs(there.address(line.body)) if method == "post" else None
    with transaction.atomic():
        browser = Client(enforce_csrf_checks=not has_token)
        if user:
            browser.force_login(user)
        response = getattr(browser, method)(there.address(line.address), data, headers=headers)
        parts = response.streaming_content if response.streaming else [response.content]
        text = b"".join(parts).decode(errors="replace")
        transaction.set_rollback(True)
    location = response.headers.get("Location", "")
    return ("in" if location.startswith("/sign-in/") else str(response.status_code)), text


def test_the_table_has_every_route_once() -> None:
    assert sorted(line.name for line in lines()) == sorted(routes())


@pytest.mark.parametrize("who", PEOPLE)
def test_each_route_answers_as_the_table_says(who: str) -> None:
    there, user = world(), person(who)

    found = {
        line.name: tuple(ask(user, method, line, there)[0] for method in ("get", "post"))
        for line in lines()
    }

    assert found == {line.name: line.expected(who) for line in lines()}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_who_may_not_see_a_workflow_reads_nothing_of_it_anywhere(headers: dict[str, str]) -> None:
    there, user = world(), person("elsewhere")

    for line in lines():
        if line.name.startswith("frozen-") or line.name == "frozen":
            continue  # It was made to be shared with whoever signs in.
        for method in ("get", "post"):
            text = ask(user, method, line, there, **headers)[1]
            asked = there.address(line.address + line.body)
            told = [word for word in (SECRET, "ledger") if word in text and word not in asked]
            assert told == [], (line.name, method)


def test_who_may_see_it_reads_it_on_these_pages() -> None:
    """So that the test above looks for what is there to be found."""
    there, user = world(), person("here")

    texts = {line.name: ask(user, "get", line, there)[1] for line in lines()}

    assert "ledger" in texts["overview"]
    assert {name for name, text in texts.items() if SECRET in text} >= {
        "instances", "export", "instance", "groups", "group", "alerts", "alert", "audit-export",
        "operation", "snapshot", "go", "since", "new-frozen", "operation-outcome",
    }  # fmt: skip


def test_each_form_wants_the_token_of_its_page() -> None:
    there, user = world(), person("admin")

    posted = [line for line in lines() if line.expected("admin")[1] not in {NO_FORM, "404"}]
    # The API takes no cookie for what changes anything: the table has 401 for all of it.
    with_form = [line for line in posted if not line.name.startswith("api-1:")]
    assert {line.expected("admin")[1] for line in posted if line not in with_form} == {"401"}

    assert len(with_form) > 20
    assert {
        line.name: ask(user, "post", line, there, has_token=False)[0] for line in with_form
    } == {line.name: "403" for line in with_form}
