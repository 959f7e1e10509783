"""Asking for an operation on many, and the pages that say what becomes of it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from dashboard.models import Instance, Item, Operation, User
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations import Terms
from dashboard.operations.planning import calls
from tests.fixtures import Watched
from tests.operations.many import add, begin, states, work
from tests.rows import HOSTILE, THEN, workflow

pytestmark = pytest.mark.usefixtures("unsealed")

BULK = "/operations/bulk/"


@pytest.fixture
def waiting(on_call: Watched) -> Watched:
    """Twelve instances that wait, and one that is complete."""
    on_call.add("complete", instance_id="over")
    add(on_call, "waiting", 12)
    return on_call


def text_of(answer: Any) -> str:
    words = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", words)


def hidden(answer: Any) -> dict[str, Any]:
    """What the preview's form carries by itself."""
    page = answer.content.decode()
    form = page[page.index('<form class="form-rows"') :]
    found: dict[str, Any] = {"waves": "1, 5, 25", "stop_above": "20"}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(html.unescape(value))
    return found


def test_the_preview_says_how_many_are_acted_on_and_why_others_are_not(
    actor: Client, waiting: Watched
) -> None:
    answer = actor.post(BULK, {"kind": "terminate", "matching": "1", "list": "", "number": "13"})

    words = text_of(answer)
    assert answer.status_code == 200
    for sentence in (
        "Terminate: 12 instances",
        "13 instances, all that match",
        "Acted on 12 , each read again first",
        "Skipped 1 It has ended: this instance is complete.",
        "about 25 requests to Cloudflare",
        "Nothing has been sent",
    ):
        assert sentence in words
    assert Operation.objects.count() == 0
    assert waiting.sent() == []


def test_a_yes_begins_it_once_and_leads_to_its_page(actor: Client, waiting: Watched) -> None:
    form = hidden(actor.post(BULK, {"kind": "terminate", "matching": "1", "list": ""}))
    form |= {"reason": "ticket 4711", "typed": "12"}

    first, second = (actor.post(BULK, form) for _ in range(2))

    operation = Operation.objects.get()
    assert first["Location"] == second["Location"] == operation.get_absolute_url()
    assert (operation.stage, operation.reason) == (Stage.RUNNING, "ticket 4711")
    assert states(operation) == {State.PENDING: 12, State.SKIPPED: 1}
    assert "had been sent before" in text_of(actor.get(operation.get_absolute_url()))


def test_what_was_chosen_one_by_one_is_what_is_acted_on(actor: Client, waiting: Watched) -> None:
    chosen = list(Instance.objects.filter(status="waiting").values_list("pk", flat=True)[:3])

    form = hidden(actor.post(BULK, {"kind": "pause", "chosen": chosen}))
    actor.post(BULK, form)

    items = Operation.objects.get().items
    assert set(items.values_list("instance_id", flat=True)) == set(
        Instance.objects.filter(pk__in=chosen).values_list("instance_id", flat=True)
    )


def test_the_list_shows_what_an_operation_is_doing_to_a_row(
    actor: Client, waiting: Watched
) -> None:
    chosen = [Instance.objects.filter(status="waiting").values_list("pk", flat=True)[0]]
    actor.post(BULK, hidden(actor.post(BULK, {"kind": "pause", "chosen": chosen})))

    html = actor.get("/instances/").content.decode()

    link = f'href="{Operation.objects.get().get_absolute_url()}" title="Pause: Not sent yet">Pause'
    assert html.count(link) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"typed": "13"}, "It would be sent to 12 instances now, not to 13."),
        ({"typed": ""}, "This field is required."),
        ({"reason": ""}, "Say why; it is kept with your name."),
        ({"waves": "1, many"}, "“1, many” are no sizes of waves"),
        ({"waves": "1 " * 11}, "more than 10 waves"),
        ({"stop_above": "101"}, "less than or equal to 100"),
        ({"key": "x"}, "This form came back damaged."),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    actor: Client, waiting: Watched, given: dict[str, str], says: str
) -> None:
    form = hidden(actor.post(BULK, {"kind": "terminate", "matching": "1", "list": ""}))
    form |= {"reason": "ticket 4711", "typed": "12"} | given

    answer = actor.post(BULK, form)

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "reason" in given or "ticket 4711" in answer.content.decode()
    assert Operation.objects.count() == 0


def test_more_than_were_shown_are_shown_again_first(actor: Client, waiting: Watched) -> None:
    Instance.objects.filter(instance_id="i-0003").update(status="complete")
    form = hidden(actor.post(BULK, {"kind": "pause", "matching": "1", "list": "status=waiting"}))
    form["newest"] = [str(Instance.objects.latest("pk").pk)]
    Instance.objects.filter(instance_id="i-0003").update(status="waiting")

    answer = actor.post(BULK, form)

    assert answer.status_code == 422
    assert "There are more now than were shown: 12." in text_of(answer)
    assert actor.post(BULK, hidden(answer)).status_code == 302


def test_an_instance_that_came_after_the_preview_is_left_alone(
    actor: Client, waiting: Watched
) -> None:
    form = hidden(actor.post(BULK, {"kind": "pause", "matching": "1", "list": "status=waiting"}))
    Instance.objects.filter(instance_id="i-0000").update(status="complete")
    waiting.add("waiting", instance_id="later")
    waiting.advance(600)
    waiting.sync()

    actor.post(BULK, form)

    assert not Operation.objects.get().items.filter(instance_id="later").exists()


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        ({"matching": "1", "list": "since=soon"}, "created: wants a time such as"),
        ({"matching": "1", "list": "statsu=errored"}, "“statsu” is no part of a list's address."),
        ({"matching": "1", "list": "workflow=%00"}, "The list's address cannot be read"),
        ({"chosen": ["1", "x"]}, "The instances that were chosen cannot be read."),
        ({"chosen": "9" * 19}, "The instances that were chosen cannot be read."),
        ({"retry_of": "x"}, "There is no such operation to retry."),
        ({"retry_of": str(uuid.uuid4())}, "There is no such operation to retry."),
    ],
)
def test_a_selection_that_cannot_be_read_selects_nothing(
    actor: Client, waiting: Watched, selection: dict[str, Any], says: str
) -> None:
    answer = actor.post(BULK, {"kind": "terminate", **selection})

    assert answer.status_code == 422
    assert says in text_of(answer)


def test_nothing_chosen_is_said(actor: Client, waiting: Watched) -> None:
    assert "No instance is chosen." in text_of(actor.post(BULK, {"kind": "pause"}))


@pytest.mark.parametrize("kind", ["", "create", "delete", "\0", "explode"])
def test_what_nobody_can_ask_of_many_is_a_404(actor: Client, waiting: Watched, kind: str) -> None:
    assert actor.post(BULK, {"kind": kind, "matching": "1"}).status_code == 404


def test_an_event_and_a_step_are_asked_for_all(actor: Client, waiting: Watched) -> None:
    for kind, typed, arguments in (
        (
            "send-event",
            {"event_type": "go", "payload": '{"a": 1}'},
            {"event_type": "go", "payload": {"a": 1}},
        ),
        (
            "restart",
            {"step_name": "charge", "step_count": "2", "step_type": "do", "typed": "13"},
            {"from": {"name": "charge", "count": 2, "type": "do"}},
        ),
    ):
        form = hidden(actor.post(BULK, {"kind": kind, "matching": "1"}))
        actor.post(BULK, form | typed | {"reason": "why"})
        assert Operation.objects.get(kind=kind).arguments == arguments


def test_a_payload_that_cannot_be_kept_is_refused(actor: Client, waiting: Watched) -> None:
    form = hidden(actor.post(BULK, {"kind": "send-event", "matching": "1"}))

    answer = actor.post(BULK, form | {"event_type": "go", "payload": '"a\\u0000b"'})

    assert answer.status_code == 422
    assert "NUL character" in text_of(answer)


class TestRights:
    def test_who_may_only_look_begins_and_steers_nothing(
        self, reader: Client, waiting: Watched, operator: User
    ) -> None:
        operation = begin(waiting, operator, Kind.PAUSE)
        page = operation.get_absolute_url()

        assert reader.post(BULK, {"kind": "pause", "matching": "1"}).status_code == 403
        assert reader.post(f"{page}steer/", {"stage": "stopped"}).status_code == 403
        html_ = reader.get(page).content.decode()
        assert "Stop</button>" not in html_
        assert "steer" not in html_

    def test_read_only_refuses(self, actor: Client, waiting: Watched, settings: Settings) -> None:
        settings.READ_ONLY = True

        assert actor.post(BULK, {"kind": "pause", "matching": "1"}).status_code == 403


class TestProgress:
    def test_it_is_paused_resumed_and_stopped_by_name(
        self, actor: Client, waiting: Watched, operator: User
    ) -> None:
        operation = begin(waiting, operator, Kind.PAUSE)
        steer = f"{operation.get_absolute_url()}steer/"

        for stage in ("paused", "running", "stopped"):
            assert stage in text_of(actor.post(steer, {"stage": stage}, follow=True)).lower()
        late = actor.post(steer, {"stage": "running"}, follow=True)

        assert "Nothing was changed: this operation is stopped by now." in text_of(late)
        assert "Paused by olga" in text_of(late)
        assert actor.post(steer, {"stage": "finished"}).status_code == 404
        assert actor.post(steer, {"stage": "\0"}).status_code == 404

    def test_the_failed_stand_first_by_what_was_said_and_are_retried(
        self, actor: Client, waiting: Watched, operator: User
    ) -> None:
        waiting.server.faults.add("rate-limited", method="PATCH", times=2)
        operation = begin(waiting, operator, Kind.TERMINATE, stop_above=100)
        work(waiting, operation)

        page = actor.get(operation.get_absolute_url()).content.decode()
        rows = re.findall(r'<tr id="item-.*?data-outcome="(\w+)"', page, re.DOTALL)
        assert rows[:2] == ["failed"] * 2
        assert rows[2:] == ["done"] * 10 + ["skipped"]
        says = re.search(r'href="([^"]*says=[^"]*)"', page)
        assert says
        narrowed = actor.get(html.unescape(says[1])).content.decode()
        assert narrowed.count('<tr id="item-') == 2

        form = hidden(actor.post(BULK, {"retry_of": str(operation.pk)}))
        actor.post(BULK, form | {"reason": "again"})
        retry = Operation.objects.exclude(pk=operation.pk).get()
        assert (retry.retry_of, retry.items.count()) == (operation, 2)

    @pytest.mark.parametrize("query", ["page=9999", "page=x", "state=x", "says=%00", "state=done"])
    def test_any_address_leads_to_a_page(
        self, actor: Client, waiting: Watched, operator: User, query: str
    ) -> None:
        operation = begin(waiting, operator, Kind.PAUSE)

        assert actor.get(f"{operation.get_absolute_url()}?{query}").status_code == 200

    def test_pages_hold_each_instance_once(
        self, actor: Client, waiting: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("dashboard.views.progress.PER_PAGE", 5)
        operation = begin(waiting, operator, Kind.PAUSE)
        operation.items.filter(instance_id__in=["i-0003", "i-0007"]).update(state=State.FAILED)

        found = []
        for page in (1, 2, 3):
            html_ = actor.get(f"{operation.get_absolute_url()}?page={page}").content.decode()
            found += re.findall(r'<tr id="item-(\d+)"', html_)

        assert sorted(map(int, found)) == sorted(operation.items.values_list("pk", flat=True))

    def test_a_refresh_that_has_nothing_new_to_say_says_nothing(
        self, actor: Client, waiting: Watched, operator: User
    ) -> None:
        page = begin(waiting, operator, Kind.PAUSE).get_absolute_url()
        first = actor.get(page, headers={"HX-Request": "true"})

        again = actor.get(page, headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})

        assert again.status_code == 304

    def test_the_queries_do_not_grow_with_its_instances(
        self,
        actor: Client,
        waiting: Watched,
        operator: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        page = begin(waiting, operator, Kind.PAUSE).get_absolute_url()

        with django_assert_max_num_queries(18):
            actor.get(page)


class TestFiles:
    def test_the_outcome_as_csv_and_json(
        self, reader: Client, waiting: Watched, operator: User
    ) -> None:
        operation = begin(waiting, operator, Kind.TERMINATE)
        work(waiting, operation)
        page = operation.get_absolute_url()

        table = b"".join(reader.get(f"{page}outcome.csv").streaming_content).decode()
        told = json.loads(b"".join(reader.get(f"{page}outcome.json").streaming_content))

        rows = list(csv.DictReader(io.StringIO(table)))
        assert len(rows) == len(told["items"]) == 13
        assert {row["state"] for row in rows} == {"done", "skipped"}
        assert told["counts"] == {"done": 12, "skipped": 1}
        assert told["asked_by"] == "olga"
        assert reader.get(f"{page}outcome.xml").status_code == 404

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
    def test_no_cell_is_a_formula(self, reader: Client, operator: User, start: str) -> None:
        made = audit_row(operator, reason=f"{start}cmd|' /C calc'!A0")

        table = b"".join(reader.get("/operations/audit.csv").streaming_content).decode()

        [row] = csv.DictReader(io.StringIO(table))
        assert row["reason"] == f"'{made.reason}"

    def test_the_audit_tells_who_did_what_when_and_why(
        self, reader: Client, operator: User
    ) -> None:
        audit_row(operator, reason=HOSTILE, kind="restart")

        lines = b"".join(reader.get("/operations/audit.ndjson").streaming_content).decode()

        [row] = map(json.loads, lines.splitlines())
        assert (row["asked_by"], row["kind"], row["reason"]) == ("olga", "restart", HOSTILE)
        assert (row["instance"], row["state"], row["note"]) == ("one", "done", "Paused.")
        assert reader.get("/operations/audit.xml").status_code == 404
        assert reader.get("/operations/audit.csv?from=soon").status_code == 404


def audit_row(user: User, **facts: Any) -> Operation:
    made = Operation.objects.create(
        **{
            "key": uuid.uuid4(),
            "kind": "pause",
            "workflow": workflow(),
            "requested_by": user,
            "requested_at": THEN,
            **facts,
        }
    )
    Item.objects.create(
        operation=made,
        workflow=workflow(facts.get("name", "orders")),
        instance_id=facts.get("id", "one"),
        state=State.DONE,
        note="Paused.",
    )
    return made


class TestAudit:
    @pytest.mark.parametrize(
        ("query", "is_found"),
        [
            ("by=olga", True),
            ("by=nobody", False),
            ("kind=pause", True),
            ("kind=restart", False),
            ("workflow=acc1/orders", True),
            ("workflow=acc1/billing", False),
            ("state=done", True),
            ("state=failed", False),
            ("instance=one", True),
            ("instance=on", False),
            ("instance=%00", False),
            ("from=2026-11-20T03:00", True),
            ("from=2026-11-20T03:01", False),
            ("to=2026-11-20T03:00", False),
            ("to=soon", False),
        ],
    )
    def test_it_is_filtered(
        self, reader: Client, operator: User, query: str, is_found: bool
    ) -> None:
        workflow("billing")
        made = audit_row(operator)

        answer = reader.get(f"/operations/?{query}")

        assert (made.get_absolute_url() in answer.content.decode()) is is_found
        is_readable = query not in {"by=nobody", "to=soon", "instance=%00"}
        assert answer.status_code == (200 if is_readable else 400)

    def test_one_over_several_workflows_is_found_by_each(
        self, reader: Client, waiting: Watched, operator: User
    ) -> None:
        waiting.add("waiting", workflow="billing")
        waiting.advance(600)
        waiting.sync()
        operation = begin(waiting, operator, Kind.PAUSE)
        account = waiting.account.account_id

        for name in ("orders", "billing"):
            page = reader.get(f"/operations/?workflow={account}/{name}").content.decode()
            assert operation.get_absolute_url() in page
        assert "several" in text_of(reader.get("/operations/"))

    def test_a_form_with_empty_fields_leads_to_a_short_address(
        self, reader: Client, operator: User
    ) -> None:
        answer = reader.get("/operations/?by=olga&kind=&state=")

        assert answer["Location"] == "/operations/?by=olga"


def test_how_long_it_takes_is_told_from_the_budget() -> None:
    assert calls(Kind.TERMINATE, 5000) == 10_200
    assert calls(Kind.SEND_EVENT, 10) == 30
    assert calls(Kind.PAUSE, 0) == 0


def test_the_terms_unless_somebody_says_else() -> None:
    assert (tuple(Terms().waves), Terms().stop_above) == ((1, 5, 25), 20)
