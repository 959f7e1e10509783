"""Before a restart: what is kept, what runs again, and what of that acts outside."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from dashboard.models import Instance, Mark, Operation, User, Version
from dashboard.simulator.plan import Do, Failure, Plan, Retries, in_turn
from tests.fixtures import Watched
from tests.rows import HOSTILE
from tests.views.instance.test_page import text_of
from tests.views.operating import fill_in, form_url, send

BROKEN = Failure("Error", "upstream returned 503")
PLAN = Plan(
    in_turn(
        Do("reserve stock", 200, {"ok": True}),
        Do("charge card", 200, {"ok": True}),
        *(Do("process item", 50, {"ok": True}) for _ in range(5)),
        Do("send invoice", 300, failures=(BROKEN,), fails=True, retries=Retries(0)),
        Do("close", 100),
    )
)


@pytest.fixture
def errored(on_call: Watched, actor: Client) -> str:
    """An order whose invoice failed, read with its steps."""
    instance_id = on_call.add("errored", plan=PLAN)
    on_call.sync()
    actor.get(on_call.row(instance_id).get_absolute_url())
    return instance_id


def column(html: str, word: str) -> str:
    """What stands under this heading of the form."""
    return text_of(html.split(f" {word}: ")[1].split("</div>", maxsplit=1)[0])


def form_of(browser: Client, watched: Watched, instance_id: str, **more: str) -> str:
    response = browser.get(form_url(watched, "restart", instance_id, **more))
    assert response.status_code == 200
    return str(response.content.decode())


def mark(watched: Watched, by: User, step_name: str, **facts: str) -> Mark:
    return Mark.objects.create(
        account=watched.account,
        workflow_name="orders",
        step_name=step_name,
        **{"kind": Mark.Kind.MOVES_MONEY, "words": "charges the card"} | facts,
        set_by=by,
        set_at=watched.clock(),
    )


def test_from_the_beginning_everything_that_was_seen_runs_again(
    actor: Client, on_call: Watched, errored: str
) -> None:
    html = form_of(actor, on_call, errored)

    assert column(html, "Kept") == "0 Nothing: it begins anew."
    assert column(html, "Runs again") == (
        "8 reserve stock charge card process item ×5 send invoice"
    )


def test_the_start_that_repeats_least_is_proposed_and_can_be_taken(
    actor: Client, on_call: Watched, errored: str
) -> None:
    html = form_of(actor, on_call, errored)
    assert "Restart from send invoice, keeps 7 steps" in html

    chosen = form_of(actor, on_call, errored, restart_from="7")

    assert "keeps 7 steps" not in chosen
    assert column(chosen, "Kept") == "7 reserve stock charge card process item ×5"
    assert column(chosen, "Runs again") == "1 send invoice"
    url = form_url(on_call, "restart", errored, restart_from="7")
    send(actor, fill_in(actor, url, reason="the mailer is back", restart_from="7"))
    assert on_call.sent() == [
        {"status": "restart", "from": {"name": "send invoice", "count": 1, "type": "do"}}
    ]


def test_another_start_is_previewed_with_all_that_was_typed_and_nothing_is_sent(
    actor: Client, on_call: Watched, errored: str
) -> None:
    url = form_url(on_call, "restart", errored)
    filled = fill_in(actor, url, restart_from="7", reason="not yet <b>")

    answer = send(actor, filled | {"preview": "1"})

    html = answer.content.decode()
    assert answer.status_code == 200
    assert column(html, "Kept") == "7 reserve stock charge card process item ×5"
    assert "not yet &lt;b&gt;</textarea>" in html
    assert 'class="errors"' not in html
    assert on_call.sent() == []
    assert not Operation.objects.exists()


def test_a_marked_step_is_shown_in_red_only_where_it_would_run_again(
    actor: Client, on_call: Watched, operator: User, errored: str
) -> None:
    mark(on_call, operator, "charge card")

    whole = form_of(actor, on_call, errored)
    later = form_of(actor, on_call, errored, restart_from="7")

    warning = "charge card runs again: moves money: charges the card."
    assert warning in text_of(whole)
    assert warning not in text_of(later)
    assert "moves money: charges the card" in column(later, "Kept")


def test_a_mark_of_a_workflow_that_was_made_again_still_counts(
    actor: Client, on_call: Watched, operator: User, errored: str
) -> None:
    mark(on_call, operator, "charge card")
    workflow = on_call.workflow()
    workflow.cloudflare_id = "another"
    workflow.pk = None
    workflow.save()

    assert [found.step_name for found in Mark.objects.of(workflow)] == ["charge card"]


def test_the_version_that_ran_is_told_apart_from_the_one_that_is_deployed(
    actor: Client, on_call: Watched, errored: str
) -> None:
    ran = on_call.row(errored).version_id
    assert f"It ran version {ran[:8]}… , the newest." in text_of(form_of(actor, on_call, errored))
    Version.objects.create(
        workflow=on_call.workflow(),
        version_id="fedcba98-7654",
        created_on=on_call.clock(),
        synced_at=on_call.clock(),
    )

    said = text_of(form_of(actor, on_call, errored))

    assert f"It ran version {ran[:8]}… ; fedcba98… of 2026-11-21 03:00:00 UTC is deployed" in said


def test_where_the_steps_were_never_read_it_says_that_nobody_can_say(
    actor: Client, on_call: Watched
) -> None:
    instance_id = on_call.add("paused")
    on_call.sync()
    on_call.row(instance_id).kept_detail.delete()

    said = text_of(form_of(actor, on_call, instance_id))

    assert "nobody can say what runs again" in said


@pytest.mark.parametrize("wanted", ["99", "x", "-1", "\0", "²"])
def test_a_step_that_is_none_is_said_and_the_beginning_is_offered(
    actor: Client, on_call: Watched, errored: str, wanted: str
) -> None:
    html = form_of(actor, on_call, errored, restart_from=wanted)

    assert "no such step that a restart could name" in html
    assert column(html, "Kept").startswith("0 ")


def test_each_step_of_the_instance_leads_to_a_restart_from_it(
    actor: Client, on_call: Watched, errored: str
) -> None:
    page = actor.get(on_call.row(errored).get_absolute_url()).content.decode()

    links = re.findall(r'href="([^"]+restart_from=\d+)"', page.replace("&amp;", "&"))

    assert len(set(links)) == 8
    assert actor.get(links[7]).status_code == 200


def test_a_viewer_is_not_led_to_a_restart(reader: Client, on_call: Watched, viewer: User) -> None:
    instance_id = on_call.add("errored")
    on_call.sync()

    page = reader.get(on_call.row(instance_id).get_absolute_url()).content.decode()

    assert "restart_from=" not in page


def marks_url(watched: Watched) -> str:
    return f"/accounts/{watched.account.account_id}/workflows/orders/marks/"


def test_an_operator_marks_a_step_and_its_instances_say_so(
    actor: Client, on_call: Watched, errored: str
) -> None:
    page = actor.get(marks_url(on_call), {"step": "charge card"}).content.decode()
    assert 'value="charge card"' in page

    answer = actor.post(
        marks_url(on_call),
        {"step_name": "charge card", "kind": "moves-money", "words": "not idempotent"},
        follow=True,
    )

    assert "“charge card” is marked" in text_of(answer.content.decode())
    assert "moves money: not idempotent" in answer.content.decode()
    page = actor.get(on_call.row(errored).get_absolute_url()).content.decode()
    assert "moves money: not idempotent" in page
    assert (
        "moves money: not idempotent"
        in actor.get(on_call.workflow().get_absolute_url()).content.decode()
    )


def test_a_mark_is_changed_in_place_and_removed(
    actor: Client, on_call: Watched, errored: str
) -> None:
    for words in ("first", "second"):
        form = {"step_name": "charge card", "kind": "moves-money", "words": words}
        actor.post(marks_url(on_call), form)
    assert [found.words for found in Mark.objects.all()] == ["second"]

    for _ in range(2):
        answer = actor.post(f"{marks_url(on_call)}remove/", {"step": "charge card"})
        assert answer.status_code == 302

    assert Mark.objects.count() == 0


@pytest.mark.parametrize(
    "form",
    [
        {"step_name": "", "kind": "moves-money"},
        {"step_name": "charge card", "kind": "nonsense"},
        {"step_name": "x" * 301, "kind": "moves-money"},
        {"step_name": "a\0b", "kind": "moves-money"},
        {"step_name": "charge card", "kind": "moves-money", "words": "x" * 201},
    ],
)
def test_a_mark_that_cannot_be_comes_back_as_it_was_typed(
    actor: Client, on_call: Watched, errored: str, form: dict[str, str]
) -> None:
    answer = actor.post(marks_url(on_call), form)

    assert answer.status_code == 422
    assert Mark.objects.count() == 0
    assert form.get("words", "") in answer.content.decode()


def test_a_viewer_reads_marks_and_sets_none(
    reader: Client, on_call: Watched, operator: User
) -> None:
    on_call.add("complete")
    on_call.sync()
    mark(on_call, operator, HOSTILE, words=HOSTILE)

    page = reader.get(marks_url(on_call)).content.decode()

    assert HOSTILE not in page
    assert "Your role is viewer" in page
    form = {"step_name": "charge card", "kind": "moves-money"}
    assert reader.post(marks_url(on_call), form).status_code == 403
    assert reader.post(f"{marks_url(on_call)}remove/", {"step": HOSTILE}).status_code == 403
    assert Mark.objects.count() == 1


def test_marks_of_no_workflow_are_not_found(actor: Client, on_call: Watched) -> None:
    assert actor.get(marks_url(on_call)).status_code == 404
    assert Instance.objects.count() == 0
