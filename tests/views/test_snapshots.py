"""What was kept is shown, compared and pinned; and a person is asked before it would be lost."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError
from django.test import Client

from dashboard import evidence, sync
from dashboard.models import Operation, Snapshot, Version, Why, kept_answer
from tests.fixtures import Watched
from tests.rows import HOSTILE
from tests.views.operating import fields, fill_in, form_url, send


def page_of(watched: Watched, instance_id: str) -> str:
    return watched.row(instance_id).get_absolute_url()


def errored(watched: Watched) -> tuple[str, Snapshot]:
    id_ = watched.add("errored")
    watched.sync()
    return id_, Snapshot.objects.get(instance_id=id_)


def restarted(watched: Watched, browser: Client, instance_id: str) -> None:
    watched.advance(10)
    form = fill_in(browser, form_url(watched, "restart", instance_id), reason="the cause is mended")
    assert send(browser, form).status_code == 302
    watched.advance(3600)
    sync.read_instance(watched.client, watched.workflow(), instance_id, now=watched.clock())


def test_a_generation_shows_what_the_restart_erased(on_call: Watched, actor: Client) -> None:
    id_, snapshot = errored(on_call)
    restarted(on_call, actor, id_)

    live = actor.get(page_of(on_call, id_)).content.decode()
    kept = actor.get(snapshot.get_absolute_url()).content.decode()

    assert snapshot.get_absolute_url() in live
    assert snapshot.error_message[:40] in kept
    assert "Kept evidence, not live" in kept
    for step in snapshot.kept.detail.steps:
        assert step.name in kept
    assert page_of(on_call, id_) in kept


def test_what_was_kept_is_downloaded_with_the_digest_that_is_shown(
    on_call: Watched, reader: Client
) -> None:
    _, snapshot = errored(on_call)
    base = f"{snapshot.get_absolute_url()}output/"

    whole = reader.get(f"{base}?whole=1")
    answer = reader.get(f"{base}?part=answer&download=1")

    assert hashlib.sha256(whole.content).hexdigest() == snapshot.digest
    assert json.loads(answer.content) == snapshot.kept.answer
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_step_of_a_snapshot_gives_its_own_output(on_call: Watched, reader: Client) -> None:
    id_ = on_call.add("complete")
    on_call.sync()

    sync.read_instance(on_call.client, on_call.workflow(), id_, now=on_call.clock())
    snapshot = evidence.keep_whole(
        on_call.client, on_call.row(id_), Why.PINNED, now=on_call.clock()
    )
    step = next(step for step in snapshot.kept.detail.steps if step.has_output)
    query = urlencode({"type": step.type, "name": step.name, "download": 1})

    got = reader.get(f"{snapshot.get_absolute_url()}output/?{query}")

    assert got.status_code == 200
    assert got.content
    assert reader.get(f"{snapshot.get_absolute_url()}output/?type=step&name=no").status_code == 404


def test_each_attempt_of_a_kept_step_leads_to_what_it_gave(
    on_call: Watched, reader: Client
) -> None:
    _, snapshot = errored(on_call)
    answer = snapshot.kept.answer
    tries = [{"success": True}, {"success": False, "error": {"name": "E", "message": "no 503"}}]
    step = {"type": "step", "name": "a-1", "success": True, "output": "3"}
    document = {
        "answer": answer | {"steps": [step | {"attempts": [*tries, {"success": True}]}]},
        "outputs_are_text": True,
        "outputs": {"0.1": {"value": {"given": "by the first"}}},
        "missing": {},
    }
    body = kept_answer.pack(kept_answer.written(document))
    Snapshot.objects.filter(pk=snapshot.pk).update(body=body)

    page = unescape(reader.get(snapshot.get_absolute_url()).content.decode())
    links = re.findall(r'href="(/snapshots/[^"]+attempt=\d)"', page)
    first, second, third = (reader.get(link).content.decode() for link in links)

    assert "by the first" in first
    assert "no 503" in second
    assert ">3</pre>" in third
    assert reader.get(links[0].replace("attempt=1", "attempt=9")).status_code == 404
    assert reader.get(links[0].replace("attempt=1", "attempt=x")).status_code == 400


def test_a_snapshot_that_aged_out_says_so(reader: Client) -> None:
    response = reader.get("/snapshots/0b8f6a3e-4f7a-4f0a-9c53-1f0a7c9c2c55/")

    assert response.status_code == 404
    assert "those that nobody pins age out" in response.content.decode()


def test_an_operator_keeps_pins_and_unpins_and_a_viewer_does_not(
    on_call: Watched, actor: Client, viewer: Any
) -> None:
    id_ = on_call.add("running")
    on_call.sync()
    address = {
        "account_id": on_call.account.account_id,
        "workflow_name": "orders",
        "instance_id": id_,
    }

    actor.post("/snapshots/", address)
    snapshot = Snapshot.objects.get(instance_id=id_)
    assert snapshot.is_pinned
    assert "Pinned by olga" in actor.get(snapshot.get_absolute_url()).content.decode()
    actor.post(f"{snapshot.get_absolute_url()}pin/", {"unpin": "1"})
    snapshot.refresh_from_db()
    assert not snapshot.is_pinned
    actor.force_login(viewer)
    assert actor.post("/snapshots/", address).status_code == 403
    assert actor.post(f"{snapshot.get_absolute_url()}pin/").status_code == 403


def test_two_generations_are_compared_and_the_address_is_the_link(
    on_call: Watched, actor: Client
) -> None:
    id_, snapshot = errored(on_call)
    restarted(on_call, actor, id_)
    query = urlencode({"left": snapshot.get_absolute_url(), "right": page_of(on_call, id_)})

    page = actor.get(f"/compare/?{query}").content.decode()

    assert "Step by step" in page
    assert "generation 1, kept" in page
    assert "generation 2, as last read" in page


def test_compare_takes_ids_and_whole_links_and_says_what_leads_nowhere(
    on_call: Watched, reader: Client
) -> None:
    id_, snapshot = errored(on_call)
    link = f"https://workflows.example.com{page_of(on_call, id_)}?steps=2#step-3"

    good = reader.get(f"/compare/?{urlencode({'left': link, 'right': snapshot.pk})}")
    bad = reader.get(f"/compare/?{urlencode({'left': id_, 'right': HOSTILE})}")

    assert "Nothing differs" in good.content.decode()
    assert bad.status_code == 404
    text = bad.content.decode()
    assert "There is no instance" in text
    assert "<script>alert(1)" not in text
    assert f'value="{id_}"' in text
    assert reader.get("/compare/?left=%00%ff&right=/snapshots/x/").status_code == 404
    assert reader.get("/compare/").status_code == 200


def test_a_restart_asks_again_before_evidence_is_lost(
    on_call: Watched, actor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = on_call.add("running")
    on_call.sync()

    def full(*_: object, **__: object) -> Snapshot:
        raise DatabaseError("disk full")

    form = fill_in(actor, form_url(on_call, "restart", id_), reason="the cause is mended")
    monkeypatch.setattr(type(Snapshot.objects), "keep", full)
    first = send(actor, form)
    page = first.content.decode()
    again = fields(page)

    assert first.status_code == 409
    assert "could not be kept" in page
    assert 'name="without_evidence"' in page
    assert "without_evidence" not in again
    assert again["reason"] == "the cause is mended"
    assert on_call.sent() == []
    assert send(actor, again).status_code == 409
    assert send(actor, again | {"without_evidence": "on", "key": _new_key()}).status_code == 302
    assert len(on_call.sent()) == 1
    assert Operation.objects.filter(arguments__without_evidence=True).count() == 1


def _new_key() -> str:

    return str(uuid.uuid4())


def test_the_page_says_when_cloudflare_deletes_the_instance(
    on_call: Watched, reader: Client
) -> None:

    id_, _ = errored(on_call)
    row = on_call.row(id_)
    Version.objects.update_or_create(
        workflow=row.workflow,
        version_id=row.version_id,
        defaults={"synced_at": on_call.clock(), "error_retention": "7 days"},
    )

    page = reader.get(page_of(on_call, id_)).content.decode()

    assert "Cloudflare deletes this" in page
    assert "it is kept here" in page


def test_the_summary_as_markdown_holds_the_error_and_the_link(
    on_call: Watched, reader: Client
) -> None:
    id_, snapshot = errored(on_call)

    page = reader.get(page_of(on_call, id_)).content.decode()
    text = page.split('aria-label="Summary as Markdown">')[1].split("</textarea>")[0]

    assert f"http://testserver{page_of(on_call, id_)}" in text
    assert "**errored**" in text
    assert "Failed step" in text
    assert snapshot.version_id in text


def test_what_was_kept_is_found_where_all_else_was_forgotten(
    on_call: Watched, reader: Client
) -> None:
    id_, snapshot = errored(on_call)
    page = page_of(on_call, id_)
    on_call.remove(id_)
    on_call.row(id_).delete()

    response = reader.get(page)

    assert response.status_code == 404
    assert snapshot.get_absolute_url() in response.content.decode()


def test_a_kept_generation_leads_to_each_of_its_parts(on_call: Watched, reader: Client) -> None:
    _, snapshot = errored(on_call)
    html = reader.get(snapshot.get_absolute_url()).content.decode()

    links = {unescape(link) for link in re.findall(r'href="(/snapshots/[^"]+/output/[^"]+)"', html)}

    assert any("part=entry&step=0" in link for link in links)
    assert any("part=params" in link for link in links)
    assert {reader.get(link).status_code for link in links} == {200}
    assert reader.get(f"{snapshot.get_absolute_url()}output/?part=secrets").status_code == 400
