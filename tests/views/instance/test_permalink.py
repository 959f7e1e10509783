"""The address of an instance: it lasts, and says why when there is nothing behind it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from dashboard.models import Instance, Look, User
from tests.insight.details import recorded
from tests.views.instance.test_page import path_of, text_of
from tests.views.instance.upstream import ACCOUNT, Upstream

IDS = [
    "order-1",
    "*/30 * * * *-1786001400000",
    "0 3 1,15 * MON#2-1786001400000",
    "50% done?",
    "a//b",
    "a/../b",
    "трasse-1",
    "a;b&c=d",
]


def forget_reads() -> None:
    """As if the last read were long ago."""
    Look.objects.all().delete()
    Instance.objects.update(read_at=timezone.now() - timedelta(minutes=5))


@pytest.mark.parametrize("instance_id", IDS)
def test_any_id_makes_a_link_that_leads_back_to_it(
    reader: Browser, upstream: Upstream, instance_id: str
) -> None:
    upstream.add(instance_id, recorded("complete.caught"))

    response = reader.get(path_of(instance_id))

    assert response.status_code == 200
    assert response.context["instance"].instance_id == instance_id
    assert response.context["instance"].get_absolute_url() == path_of(instance_id)
    assert upstream.seen[-1].endswith("/" + quote(instance_id, safe=""))


def test_a_signed_out_reader_comes_back_after_signing_in(
    client: Browser, upstream: Upstream, operator: User
) -> None:
    upstream.add(IDS[1], recorded("complete.caught"))
    operator.set_password("correct horse")
    operator.save()

    asked = client.get(path_of(IDS[1]))
    signed_in = client.post(
        asked.headers["Location"], {"login": "olga", "password": "correct horse"}
    )

    assert signed_in.headers["Location"] == path_of(IDS[1])


def test_an_instance_that_was_never_synced_is_fetched(reader: Browser, upstream: Upstream) -> None:
    upstream.add("one", recorded("complete.caught"), workflow="never-synced")

    assert reader.get(path_of("one", "never-synced")).status_code == 200
    assert Instance.objects.get().workflow.name == "never-synced"


def test_an_account_that_is_not_watched_says_so(reader: Browser, upstream: Upstream) -> None:
    response = reader.get(reverse("instance", args=["someone-else", "orders", "one"]))

    assert response.status_code == 404
    assert "does not watch account someone-else" in text_of(response.content.decode())


def test_an_unknown_workflow_says_so(reader: Browser, upstream: Upstream) -> None:
    response = reader.get(path_of("one", "ordrs"))

    assert response.status_code == 404
    assert f"There is no workflow ordrs in account {ACCOUNT}" in text_of(response.content.decode())


def test_an_unknown_instance_says_why_and_shows_the_same_id_elsewhere(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("complete.caught"), workflow="refunds")
    upstream.add("other", recorded("complete.caught"), workflow="orders")
    reader.get(path_of("one", "refunds"))

    response = reader.get(path_of("one", "orders"))

    assert response.status_code == 404
    seen = text_of(response.content.decode())
    assert "Cloudflare has no instance one of workflow orders" in seen
    assert "It may have expired" in seen
    assert f'href="{path_of("one", "refunds")}"' in response.content.decode()


def test_an_instance_that_expired_is_shown_from_the_local_copy(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("running.in-step"))
    upstream.add("other", recorded("complete.caught"))
    reader.get(path_of("one"))
    forget_reads()
    del upstream.instances["orders", "one"]

    response = reader.get(path_of("one"))

    assert response.status_code == 200
    seen = text_of(response.content.decode())
    assert "Cloudflare no longer has this instance" in seen
    assert "pack parcel-1" in seen
    assert "data-live" not in response.content.decode()


def test_while_cloudflare_fails_the_page_says_what_was_last_known_and_keeps_asking(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("running.in-step"))
    reader.get(path_of("one"))
    forget_reads()
    upstream.trouble = 503

    response = reader.get(path_of("one"))

    assert response.status_code == 200
    seen = text_of(response.content.decode())
    assert "Cloudflare does not tell what this instance does now." in seen
    assert "What is shown was known at 20" in seen
    assert "pack parcel-1" in seen
    assert "data-live" in response.content.decode()


def test_while_cloudflare_fails_nothing_is_drawn_beyond_what_was_known(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("running.in-step"))
    reader.get(path_of("one"))
    forget_reads()
    upstream.trouble = 503

    response = reader.get(path_of("one"))

    drawn = response.context["page"].timeline
    assert drawn.end == response.context["instance"].read_at
    seen = text_of(response.content.decode())
    assert "Last known: Running “pack parcel”" in seen
    assert "data-elapsed" not in response.content.decode().split('id="instance"')[1]


def test_while_cloudflare_fails_viewers_do_not_queue_up_behind_it(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("running.in-step"))
    reader.get(path_of("one"))
    forget_reads()
    upstream.trouble = 503
    reader.get(path_of("one"))
    asked = len(upstream.seen)

    with time_machine.travel(Look.objects.get().asked_at, tick=False):
        responses = [reader.get(path_of("one")) for _ in range(3)]

    assert len(upstream.seen) == asked
    assert all("does not tell" in response.content.decode() for response in responses)


def test_when_cloudflare_answers_again_the_page_is_current_again(
    reader: Browser, upstream: Upstream
) -> None:
    upstream.add("one", recorded("running.in-step"))
    reader.get(path_of("one"))
    forget_reads()
    upstream.trouble = 503
    reader.get(path_of("one"))
    upstream.trouble = None
    Look.objects.update(asked_at=None)

    assert "does not tell" not in reader.get(path_of("one")).content.decode()


@pytest.mark.parametrize(("trouble", "status"), [(503, 502), (401, 502), (403, 502), (429, 429)])
def test_trouble_with_nothing_stored_has_a_true_status_and_a_reason(
    reader: Browser, upstream: Upstream, trouble: int, status: int
) -> None:
    upstream.trouble = trouble

    response = reader.get(path_of("one"))

    assert response.status_code == status
    assert "This instance cannot be read now" in text_of(response.content.decode())


def test_a_cloudflare_that_cannot_be_reached_is_a_gateway_timeout(
    reader: Browser, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_BASE_URL", "http://127.0.0.1:9/client/v4")

    assert reader.get(path_of("one")).status_code == 504
