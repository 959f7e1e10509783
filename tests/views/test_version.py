"""The page of a version: its diagram is read once, kept, and shows where the instances stand."""

from __future__ import annotations

from typing import Any

from django.test import Client

from dashboard.models import Instance, Version
from tests.fixtures import Watched
from tests.insight.test_graph import WHOLE
from tests.rows import HOSTILE, instance, version, workflow
from tests.views.test_frame import inline_parts

PATH = "/accounts/acc1/workflows/orders/versions/v1/"


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def gets(watched: Watched) -> int:
    return sum("/graph" in entry["path"] for entry in watched.server.requests)


def test_the_diagram_is_read_from_cloudflare_once(reader: Client, on_call: Watched) -> None:
    on_call.add("errored")
    on_call.sync()
    version = Version.objects.get()

    first = reader.get(version.get_absolute_url())
    again = reader.get(version.get_absolute_url())

    assert (first.status_code, again.status_code, gets(on_call)) == (200, 200, 1)
    assert "charge card" in text_of(again)
    version.refresh_from_db()
    assert version.graph is not None


def test_cloudflare_away_is_said_with_a_true_status(reader: Client, on_call: Watched) -> None:
    on_call.add("errored")
    on_call.sync()
    address = Version.objects.get().get_absolute_url()
    on_call.server.faults.add("html", method="GET", times=5)

    answer = reader.get(address)

    assert answer.status_code == 502
    assert 'data-kind="error"' in text_of(answer)
    assert Version.objects.get().graph_at is None


def test_every_node_is_drawn_and_listed(reader: Client) -> None:
    version("v1", of=workflow(), has_dag=True, graph=WHOLE, graph_at="2026-11-21T03:00:00Z")

    html = text_of(reader.get(PATH))

    for words in ("check (loop ${...})", "quantum_leap", "nested", "total &gt; 100", "mail"):
        assert html.count(words) >= 2, words
    assert inline_parts(html) == []


def test_instances_are_counted_at_the_step_they_are_in(reader: Client) -> None:
    orders = workflow()
    version("v1", of=orders, has_dag=True, graph=WHOLE, graph_at="2026-11-21T03:00:00Z")
    for number, (step, status) in enumerate(
        [("left-2", "running"), ("check (loop 7)", "errored"), ("gone", "running")]
    ):
        instance(f"i-{number}", status, of=orders, current_step=step, version_id="v1")

    html = text_of(reader.get(PATH))

    assert '<tspan data-status="running">1 now</tspan>' in html
    assert '<tspan data-status="errored">1 errored</tspan>' in html
    assert "In steps that the diagram does not have" in html
    assert "gone" in html


def test_a_version_without_a_diagram_says_so_and_asks_nothing(
    reader: Client, on_call: Watched
) -> None:
    version("v1", of=workflow())

    html = text_of(reader.get(PATH))

    assert "Cloudflare has no diagram of this version." in html
    assert gets(on_call) == 0


def test_an_unknown_version_is_a_404(reader: Client) -> None:
    workflow()

    assert reader.get(PATH).status_code == 404
    assert "No version v1 of a workflow orders is known." in text_of(reader.get(PATH))


def test_markup_in_a_diagram_stays_text(reader: Client) -> None:
    node = {"type": HOSTILE, "name": HOSTILE, "nodes": [{"type": "step_do", "name": HOSTILE}]}
    graph = {"workflow": {"class_name": HOSTILE, "nodes": [node], "functions": {HOSTILE: {}}}}
    version("v1", of=workflow(), has_dag=True, graph=graph, graph_at="2026-11-21T03:00:00Z")

    html = text_of(reader.get(PATH))

    assert "<script>alert" not in html
    assert "<img" not in html
    assert Instance.objects.count() == 0
