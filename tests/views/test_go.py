from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client

from dashboard.models import User
from dashboard.views.addresses import Address, address
from tests.rows import HOSTILE, account, instance, workflow
from tests.views.test_instances import REFRESH, text
from tests.views.test_saved_views import view

INSTANCE = Address("acc1", "orders", "a/b c")
WORKFLOW = Address("acc1", "orders")


@pytest.mark.parametrize(
    ("pasted", "named"),
    [
        ("https://dash.cloudflare.com/acc1/workers/workflows/orders/instance/a%2Fb%20c", INSTANCE),
        (" https://dash.cloudflare.com/acc1/workers/workflows/orders/?tab=x#y ", WORKFLOW),
        ("https://api.cloudflare.com/client/v4/accounts/acc1/workflows/orders", WORKFLOW),
        ("/accounts/acc1/workflows/orders/instances/a%2Fb%20c", INSTANCE),
        ("accounts/acc1/workflows/orders/instances/a%2Fb%20c/status", INSTANCE),
        ("/accounts/acc1/workflows/orders/instances/a/b c/events/approved", INSTANCE),
        ("https://me.example/accounts/acc1/workflows/orders/instances/a/b%20c?steps=2", INSTANCE),
        ("order-4711", None),
        ("https://example.com/", None),
        ("https://[bad/accounts/x", None),
    ],
)
def test_an_address_names_an_instance_or_a_workflow(pasted: str, named: Address | None) -> None:
    assert address(pasted) == named


def test_a_whole_id_leads_straight_to_its_page(reader: Client) -> None:
    one = instance("order-4711")
    instance("order-4711-b")

    assert reader.get("/go/?q=order-4711")["Location"] == one.get_absolute_url()


def test_an_id_of_two_workflows_is_asked_about(reader: Client) -> None:
    instance("same")
    instance("same", of=workflow("invoices"))

    html = reader.get("/go/?q=same").content.decode()

    assert "orders in name-of-acc1" in text(html)
    assert "invoices in name-of-acc1" in text(html)


def test_parts_find_instances_workflows_and_views(reader: Client, viewer: User) -> None:
    instance("my-broken-one")
    workflow("broken-flow", of=account("acc2"))
    view(viewer, name="All broken")

    html = reader.get("/go/?q=BROKEN", headers=REFRESH).content.decode()

    assert "my-broken-one" in html
    assert "broken-flow" in html
    assert "All broken" in html
    assert '<a href="/instances/?q=BROKEN">' in html
    assert "<html" not in html


def test_an_instance_that_is_not_known_here_is_asked_of_cloudflare_by_its_own_page(
    reader: Client,
) -> None:
    pasted = "https://dash.cloudflare.com/acc9/workers/workflows/new/instance/just-made"

    response = reader.get("/go/", {"q": pasted})

    assert response["Location"] == "/accounts/acc9/workflows/new/instances/just-made"


@pytest.mark.parametrize(
    "written",
    ["", "+", "a%00b", "%ED%A0%80", quote(HOSTILE), "x" * 9000, "%25", "//", "/accounts//"],
)
def test_whatever_is_written_gets_a_page(reader: Client, written: str) -> None:
    instance("one")

    response = reader.get(f"/go/?q={written}")

    assert response.status_code == 200
    assert HOSTILE not in response.content.decode()
