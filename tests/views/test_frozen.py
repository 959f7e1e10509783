"""A frozen link shows what it was made of, without what is hidden, to whom it was meant for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.models import FrozenLink, User
from tests.insight.details import attempt, running, step
from tests.views.instance.upstream import ACCOUNT, Upstream, watched_upstream

NEW = "/frozen/new/"
SECRET = "hunter2hunter2"


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    with watched_upstream(monkeypatch) as api:
        yield api


@pytest.fixture
def of(upstream: Upstream, actor: Client) -> str:
    """The page of an instance that was read, and that holds secrets wherever it can."""
    told = running(
        step("charge-1", attempt(0, 1), output={"card": {"token": SECRET}, "amount": 12}),
        step("mail-1", attempt(1, 2, error=f"refused password={SECRET}"), output="sent to Ana"),
        params={"email": "ana@example.com", "order": 7},
    )
    upstream.add("one", told)
    page = f"/accounts/{ACCOUNT}/workflows/orders/instances/one"
    assert actor.get(page).status_code == 200
    return page


def made(actor: Client, of: str, **more: Any) -> FrozenLink:
    form = {"of": of, "title": "Charges fail", "days": 7} | more
    response = actor.post(NEW, form)
    assert response.status_code == 302, response.content.decode()
    return FrozenLink.objects.latest("frozen_at")


def test_the_preview_hides_what_is_secret_and_makes_nothing(actor: Client, of: str) -> None:
    first = actor.get(f"{NEW}?of={of}").content.decode()
    preview = actor.post(
        NEW, {"of": of, "title": "x", "days": 7, "words": "Ana", "preview": "1"}
    ).content.decode()

    for page in (first, preview):
        assert "Preview" in page
        assert SECRET not in page
        assert "ana@example.com" not in page
    for field in ("title", "words", "steps", "hides_params", "is_public"):
        assert f'name="{field}"' in first
    assert "part=params" not in first  # Nothing of it can be downloaded before it is made.
    assert "sent to Ana" in first
    assert "sent to Ana" not in preview
    assert FrozenLink.objects.count() == 0


def test_the_page_holds_nothing_that_was_hidden_and_stays_when_the_instance_goes_on(
    actor: Client, of: str, upstream: Upstream
) -> None:
    link = made(actor, of, words="Ana")
    before = actor.get(link.get_absolute_url()).content.decode()
    upstream.add("one", running(step("other-1", attempt(0, 1))))
    actor.get(of)

    after = actor.get(link.get_absolute_url()).content.decode()
    whole = actor.get(f"{link.get_absolute_url()}1/output/?whole=1").content

    assert "charge-1" in before
    assert "charge-1" in after
    assert "other-1" not in after
    for text in (before, whole.decode(), link.document.decode()):
        assert SECRET not in text
        assert "ana@example.com" not in text
    assert hashlib.sha256(whole).hexdigest() == link.digest
    assert link.digest in before


def test_only_who_signs_in_sees_it_unless_it_was_made_for_everybody(actor: Client, of: str) -> None:
    inside, public = made(actor, of), made(actor, of, is_public="on")
    stranger = Client()

    closed = stranger.get(inside.get_absolute_url())
    shown = stranger.get(public.get_absolute_url())

    assert closed.status_code == 302
    assert "/sign-in/" in closed.url
    assert stranger.get(f"{inside.get_absolute_url()}1/output/?whole=1").status_code == 302
    assert shown.status_code == 200
    assert "charge-1" in shown.content.decode()
    assert shown.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in shown.headers["X-Robots-Tag"]
    assert of not in shown.content.decode()
    assert len(public.key) >= 43


def test_it_closes_when_its_time_is_over_and_when_it_is_revoked(actor: Client, of: str) -> None:
    link, revoked = made(actor, of, is_public="on"), made(actor, of, is_public="on")

    actor.post(f"{revoked.get_absolute_url()}revoke/")
    with time_machine.travel(link.frozen_at + timedelta(days=8), tick=False):
        expired = Client().get(link.get_absolute_url())
        output = Client().get(f"{link.get_absolute_url()}1/output/?part=params")

    assert expired.status_code == output.status_code == 410
    assert Client().get(revoked.get_absolute_url()).status_code == 410
    listed = actor.get("/frozen/").content.decode()
    assert "revoked" in listed
    assert "by olga" in listed


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(actor: Client, of: str) -> None:
    response = actor.post(NEW, {"of": "no-such", "title": "Kept title", "days": 7, "words": "Ana"})

    page = response.content.decode()
    assert response.status_code == 422
    assert "There is no instance “no-such”" in page
    assert "Kept title" in page
    assert "Ana" in page
    assert actor.get("/frozen/no-such-key/").status_code == 404


def test_a_viewer_sees_links_and_makes_none(actor: Client, of: str, viewer: User) -> None:
    link = made(actor, of)
    actor.force_login(viewer)

    assert actor.get(link.get_absolute_url()).status_code == 200
    assert actor.get("/frozen/").status_code == 200
    assert actor.post(NEW, {"of": of, "title": "x", "days": 7}).status_code == 403
    assert actor.post(f"{link.get_absolute_url()}revoke/").status_code == 403
