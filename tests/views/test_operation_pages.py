"""The list of operations and the page of one: who, what, when, why, and the answer."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard.models import Item, Operation, User
from dashboard.models.operation import State
from dashboard.views import operations as view
from tests.rows import THEN, workflow
from tests.views.operating import OPERATIONS

pytestmark = pytest.mark.usefixtures("unsealed")


def operation(user: User, *ids: str, kind: str = "pause", **facts: Any) -> Operation:
    made = Operation.objects.create(
        **{
            "key": uuid.uuid4(),
            "kind": kind,
            "workflow": workflow(),
            "requested_by": user,
            "requested_at": THEN,
            **facts,
        }
    )
    for id_ in ids or ("one",):
        Item.objects.create(
            operation=made,
            workflow=made.workflow,
            instance_id=id_,
            state=State.DONE,
            note="Paused.",
        )
    return made


def html_of(browser: Client, path: str, **more: Any) -> str:
    return str(browser.get(path, **more).content.decode())


def test_nothing_was_asked_yet(reader: Client) -> None:
    assert "Nobody has asked for anything yet" in html_of(reader, OPERATIONS)


def test_a_row_tells_who_asked_for_what_why_and_how_it_went(reader: Client, operator: User) -> None:
    made = operation(operator, "a/b c", reason="ticket 4711")

    html = html_of(reader, OPERATIONS)

    for words in ("olga", "ticket 4711", "Pause", "orders", 'data-outcome="done"'):
        assert words in html
    assert f'href="{made.get_absolute_url()}"' in html
    assert 'href="/accounts/acc1/workflows/orders/instances/a/b%20c"' in html


def test_the_page_shows_the_answer_word_for_word_with_its_status_and_code(
    reader: Client, operator: User
) -> None:
    made = operation(operator, reason="ticket 4711", arguments={"rollback": True})
    made.items.update(
        state=State.FAILED,
        note="Refused.",
        http_status=409,
        code=10209,
        answer={"ä": ["<b>", None]},
    )

    html = html_of(reader, made.get_absolute_url())

    for words in (
        "olga",
        "ticket 4711",
        "Refused.",
        "HTTP 409, code 10209",
        'data-outcome="failed"',
    ):
        assert words in html
    assert "&quot;ä&quot;: [\n    &quot;&lt;b&gt;&quot;,\n    null" in html
    assert "nothing was sent" in html
    assert 'href="/accounts/acc1/workflows/orders/instances/one"' in html


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_word(reader: Client, operator: User, state: State) -> None:
    made = operation(operator)
    made.items.update(state=state)

    for path in (OPERATIONS, made.get_absolute_url()):
        assert f"</svg> {state.label}</span>" in html_of(reader, path)


def test_states_of_many_instances_are_counted(reader: Client, operator: User) -> None:
    made = operation(operator, "a", "b", "c", kind="create", arguments={"instances": [{}, {}, {}]})
    made.items.filter(instance_id="c").update(state=State.SKIPPED)

    html = html_of(reader, OPERATIONS)

    assert "3 instances" in html
    assert "2 Done</span>" in html
    assert "1 Skipped</span>" in html


def test_a_page_asks_again_only_while_something_is_open(reader: Client, operator: User) -> None:
    made = operation(operator)
    path = made.get_absolute_url()
    assert f'hx-get="{path}"' not in html_of(reader, path)

    made.items.update(state=State.ACCEPTED)

    assert f'hx-get="{path}" hx-trigger="poll from:body"' in html_of(reader, path)
    fragment = html_of(reader, path, headers={"HX-Request": "true"})
    assert "<html" not in fragment
    assert 'id="outcome"' in fragment


def test_an_operation_that_nobody_asked_for_is_a_404(reader: Client) -> None:
    assert reader.get(f"{OPERATIONS}{uuid.uuid4()}/").status_code == 404
    assert reader.get(f"{OPERATIONS}not-a-uuid/").status_code == 404


@pytest.mark.parametrize(
    ("page", "shows"),
    [
        ("", "Page 1 of 3"),
        ("1", "Page 1 of 3"),
        ("3", "Page 3 of 3"),
        ("99", "Page 3 of 3"),
        ("0", "Page 3 of 3"),
        ("-1", "Page 3 of 3"),
        ("x", "Page 1 of 3"),
        ("1e9", "Page 1 of 3"),
        ("9" * 5000, "Page 1 of 3"),
        ("\0", "Page 1 of 3"),
    ],
)
def test_any_page_number_leads_to_a_page(
    reader: Client, operator: User, monkeypatch: pytest.MonkeyPatch, page: str, shows: str
) -> None:
    monkeypatch.setattr(view, "PER_PAGE", 1)
    for _ in range(3):
        operation(operator)

    answer = reader.get(OPERATIONS, {"page": page})

    assert answer.status_code == 200
    assert shows in answer.content.decode()


def test_the_latest_stand_first(reader: Client, operator: User) -> None:
    for number in (2, 1, 3):
        operation(operator, f"i-{number}", requested_at=THEN + timedelta(minutes=number))

    html = html_of(reader, OPERATIONS)

    assert html.index('title="i-3"') < html.index('title="i-2"') < html.index('title="i-1"')


@pytest.mark.parametrize("number", [1, 20])
def test_the_queries_do_not_grow_with_what_is_shown(
    reader: Client, operator: User, number: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = operation(operator, *(f"i-{index}" for index in range(number)))
    for _ in range(number):
        operation(operator)

    with django_assert_num_queries(9):
        reader.get(OPERATIONS)
    with django_assert_num_queries(6):
        reader.get(made.get_absolute_url())


def test_a_refresh_that_has_nothing_new_to_say_says_nothing(reader: Client, operator: User) -> None:
    made = operation(operator)
    for path in (OPERATIONS, made.get_absolute_url()):
        first = reader.get(path, headers={"HX-Request": "true"})
        again = reader.get(path, headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})

        assert again.status_code == 304
