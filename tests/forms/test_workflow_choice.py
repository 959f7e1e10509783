from __future__ import annotations

import pytest
from django.http import QueryDict

from dashboard.forms.groups import GroupFilterForm
from dashboard.models import Access, User, Workflow
from tests.rows import THEN, account, workflow

pytestmark = pytest.mark.django_db


def form(query: str, role: str = "viewer") -> GroupFilterForm:
    user, _ = User.objects.get_or_create(username="vera", defaults={"role": role})
    return GroupFilterForm(QueryDict(query), Access(user))


def shown(query: str, role: str = "viewer") -> str:
    return str(form(query, role)["workflow"])


def test_the_workflow_of_the_address_is_chosen_and_the_others_are_offered() -> None:
    workflow(), workflow("refunds")

    page = shown("workflow=acc1/refunds")

    assert '<option value="">any</option>' in page
    assert '<option value="acc1/orders">orders</option>' in page
    assert '<option value="acc1/refunds" selected>refunds</option>' in page
    assert page.startswith('<select id="id_workflow" name="workflow">')


def test_a_name_is_text_whatever_it_holds() -> None:
    workflow("<script>\"'&")

    page = shown("")

    assert ">&lt;script&gt;&quot;&#x27;&amp;</option>" in page
    assert "<script" not in page


def test_what_must_not_be_seen_is_not_offered() -> None:
    workflow()

    assert "orders" not in shown("", "none")


def test_of_two_with_one_name_todays_is_meant() -> None:
    facts = {"account": account(), "name": "orders", "first_seen_at": THEN}
    today = Workflow.objects.create(**facts, cloudflare_id="new")
    Workflow.objects.create(**facts, cloudflare_id="old", gone_at=THEN)

    told = form("workflow=acc1/orders")

    assert str(told["workflow"]).count("orders</option>") == 1
    assert told.within == [today.pk]
