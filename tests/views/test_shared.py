from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from dashboard.models import User
from dashboard.models.database_state import database_state
from dashboard.views import shared
from tests.rows import THEN, account, instance, minutes
from tests.translation.pseudo import Pseudo

pytestmark = pytest.mark.django_db(transaction=True)
POLL = {"HX-Request": "true"}
#: Another test writes to its own database of the same PostgreSQL server now and then, and the state
#: tells of that too: one of so many looks falls between two such writes.
ELSEWHERE = 50


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_answers", shared.Answers())


def test_the_state_of_the_database_changes_with_what_is_written_and_not_with_what_is_read() -> None:
    instance("one")
    assert database_state()

    def stays() -> bool:
        before = database_state()
        list(User.objects.all())
        return database_state() == before

    assert any(stays() for _ in range(ELSEWHERE))
    before = database_state()
    instance("two")

    assert database_state() != before


def test_while_nothing_is_written_a_poll_is_answered_without_looking(
    reader: Client,
) -> None:
    instance("one")
    first = reader.get("/instances/", headers=POLL)

    for _ in range(ELSEWHERE):
        with CaptureQueriesContext(connection) as queries:
            second = reader.get("/instances/", headers=POLL)
        # The session, who it is of, and in PostgreSQL the state.
        if len(queries) == (2 if connection.vendor == "sqlite" else 3):
            break
    else:
        pytest.fail(f"{len(queries)} queries each time")
    tag = {"HX-PTag": second["HX-PTag"]}
    third = reader.get("/instances/", headers=POLL | tag)

    assert second.content == first.content
    assert third.status_code == 304
    assert third.content == b""


def test_what_is_written_is_seen_by_the_next_poll(reader: Client) -> None:
    instance("one")
    tag = {"HX-PTag": reader.get("/instances/", headers=POLL)["HX-PTag"]}

    instance("two", created_on=THEN + minutes(1))
    response = reader.get("/instances/", headers=POLL | tag)

    assert response.status_code == 200
    assert "two" in response.content.decode()


def test_what_is_written_elsewhere_and_changes_nothing_here_is_answered_by_304(
    reader: Client,
) -> None:
    instance("one")
    tag = {"HX-PTag": reader.get("/instances/", headers=POLL)["HX-PTag"]}

    User.objects.create(username="somebody-else")

    assert reader.get("/instances/", headers=POLL | tag).status_code == 304


def test_an_answer_is_kept_for_a_while_only_and_for_its_own_address_and_role(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(shared.Answers, "keep", lambda _self, key, _answer: made.append(key))
    account()
    for address in ("/instances/", "/instances/?q=x"):
        reader.get(address, headers=POLL)
    operator = Client()
    operator.force_login(User.objects.create(username="olga", role="operator"))
    operator.get("/instances/", headers=POLL)
    reader.get("/instances/")

    assert made == [
        ("/instances/", "viewer", "en-gb"),
        ("/instances/?q=x", "viewer", "en-gb"),
        ("/instances/", "operator", "en-gb"),
    ]


@pytest.mark.parametrize(
    "address", ["/instances/", "/accounts/acc1/workflows/orders/instances/one"]
)
def test_who_reads_another_language_is_not_told_that_nothing_is_new(
    reader: Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    instance("one")
    tag = {"HX-PTag": reader.get(address, headers=POLL)["HX-PTag"]}
    assert reader.get(address, headers=POLL | tag).status_code == 304

    monkeypatch.setattr(translation, "_trans", Pseudo())
    response = reader.get(address, headers=POLL | tag)

    assert response.status_code == 200
    assert "⟦Running⟧" in response.content.decode()


def test_time_goes_on_although_nothing_is_written(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(shared, "monotonic", lambda: now[0])
    kept = []
    monkeypatch.setattr(shared.Answers, "keep", lambda _self, _key, answer: kept.append(answer))
    for moment in (0.0, 1.0, shared.GOES_ON + 1.0):
        now[0] = moment
        reader.get("/instances/", headers=POLL)

    # What else it is made from changes with whatever the server of the database does.
    assert {answer.state.rpartition(" ")[2] for answer in kept} == {"0.0", "1.0"}


def test_what_holds_somebodys_own_form_is_not_shared(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "OWN", b"<section")
    made = []
    monkeypatch.setattr(shared.Answers, "keep", lambda *_: made.append(1))

    reader.get("/instances/", headers=POLL)

    assert not made


def test_no_more_answers_are_kept_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST", 2)
    answers = shared.Answers()
    for name in "abc":
        answers.keep((name, ""), shared.Answer("state", b"", {}))

    assert answers.get(("a", ""), "state") is None
    assert answers.get(("c", ""), "state") is not None
    assert answers.get(("c", ""), "another state") is None
