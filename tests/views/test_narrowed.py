"""What somebody sees who may see some workflows only, beside what others see of the same."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from dashboard.models import Grant, User
from dashboard.simulator.server import Server
from dashboard.views import shared
from tests.fixtures import Watched
from tests.rows import THEN, account, instance, workflow

POLL = {"HX-Request": "true"}


def reader_of(*patterns: str, role: str = "viewer", account_id: str = "") -> Client:
    user = User.objects.create(username=f"reader-{User.objects.count()}", role="none")
    for pattern in patterns:
        Grant.objects.create(
            user=user, role=role, pattern=pattern, account_id=account_id, granted_at=THEN
        )
    browser = Client()
    browser.force_login(user)
    return browser


def html(browser: Client, address: str, **headers: str) -> str:
    return browser.get(address, headers=headers).content.decode()


@pytest.fixture
def both(db: None) -> None:
    instance("o-1", "errored", of=workflow("orders"))
    instance("p-1", "errored", of=workflow("payments"))
    instance("p-2", "running", of=workflow("payments"))


def test_counts_are_of_what_may_be_seen(both: None) -> None:
    page = html(reader_of("orders"), "/instances/")

    assert "o-1" in page
    assert "p-1" not in page
    assert "payments" not in page


def test_rows_that_are_refreshed_are_looked_at_again(both: None) -> None:
    payment = workflow("payments").instances.get(instance_id="p-1")

    page = html(reader_of("orders"), f"/instances/?shown={payment.pk}", **POLL)

    assert "p-1" not in page


def test_asking_for_a_workflow_that_may_not_be_seen_finds_what_an_unknown_one_finds(
    both: None,
) -> None:
    browser = reader_of("orders")

    unseen = html(browser, "/instances/?q=workflow:payments").replace("payments", "NAME")
    unknown = html(browser, "/instances/?q=workflow:zebra").replace("zebra", "NAME")

    assert "p-1" not in unseen
    assert unseen.count("NAME") == unknown.count("NAME")


def test_no_answer_to_a_poll_is_shared_with_who_may_see_less(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_answers", shared.Answers())
    instance("o-1", of=workflow("orders"))
    instance("p-1", of=workflow("payments"))
    readers = [reader_of("orders"), reader_of("payments"), reader_of("*")]

    pages = [html(one, "/instances/", **POLL) for one in readers]

    assert ["o-1" in page for page in pages] == [True, False, True]
    assert ["p-1" in page for page in pages] == [False, True, True]


def test_an_account_without_anything_to_see_is_nowhere(db: None) -> None:
    workflow("orders", of=account("acc1"))
    workflow("orders", of=account("acc2"))
    browser = reader_of("orders", account_id="acc1")

    assert "name-of-acc2" not in html(browser, "/")
    assert browser.get("/accounts/acc2/workflows/").status_code == 404
    assert browser.get("/accounts/acc1/workflows/").status_code == 200


def test_why_a_sync_fails_is_told_to_who_sees_all(db: None, reader: Client) -> None:
    workflow("orders", of=account("acc1", sync_error="payments: no such workflow"))

    assert "payments: no such workflow" in html(reader, "/")
    assert "payments: no such workflow" not in html(reader_of("orders"), "/")


def test_nobody_is_told_that_nothing_is_configured_who_only_may_not_see_it(
    configured: Server, db: None
) -> None:
    assert "No account is configured" not in html(reader_of("orders"), "/")
    assert "No account is configured" not in html(reader_of(), "/")


def test_the_frame_says_what_somebody_may_do(both: None, settings: Settings) -> None:
    assert "Some workflows" in html(reader_of("orders"), "/")
    assert "No role" in html(reader_of(), "/")
    settings.GROUP_ROLES = {"admin": frozenset({"owners"})}
    user = User.objects.create(username="olive", role="none", told_groups=["owners"])
    browser = Client()
    browser.force_login(user)
    assert '<span class="role">Admin</span>' in html(browser, "/")


def test_an_instance_that_is_not_known_here_is_not_asked_for_where_it_may_not_be_seen(
    on_call: Watched,
) -> None:
    on_call.add("running", instance_id="secret")
    before = len(on_call.server.requests)
    address = f"/accounts/{on_call.account.account_id}/workflows/orders/instances/secret"

    assert reader_of("payments").get(address).status_code == 404
    assert len(on_call.server.requests) == before


def test_an_operator_of_one_workflow_acts_on_its_instances_alone(on_call: Watched) -> None:
    on_call.add("running", instance_id="mine")
    on_call.add("running", instance_id="theirs", workflow="payments")
    on_call.sync()
    browser = reader_of("orders", role="operator")
    Grant.objects.create(
        user=User.objects.latest("pk"), role="viewer", pattern="payments", granted_at=THEN
    )

    mine = html(browser, on_call.row("mine").get_absolute_url())
    theirs = html(browser, on_call.row("theirs").get_absolute_url())

    assert "Why can nothing be asked?" not in mine
    assert "Your role is viewer for payments" in theirs
