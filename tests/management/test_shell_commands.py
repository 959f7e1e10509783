"""What the API tells and does, in a shell: as tables, as JSON, and with true exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError

from dashboard.management.commands import operate
from dashboard.models import ApiToken, Operation, User
from dashboard.models.operation import Stage, State
from dashboard.simulator.server import Server
from tests.fixtures import Watched
from tests.rows import THEN, instance


def run(name: str, *arguments: str) -> tuple[str, str]:
    """What the command writes to its output and beside it."""
    out, beside = StringIO(), StringIO()
    call_command(name, *arguments, stdout=out, stderr=beside)
    return out.getvalue(), beside.getvalue()


@pytest.fixture
def on_call(
    watched: Watched, configured: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    """The simulated account is the one that is configured; a pause lets its time go on."""
    with time_machine.travel(watched.clock(), tick=False) as traveller:

        def pause(seconds: float) -> None:
            traveller.shift(seconds)
            watched.advance(seconds)

        monkeypatch.setattr(operate.time, "sleep", pause)
        yield watched


def test_a_list_is_a_table_of_what_the_search_finds(db: None) -> None:
    instance("one", "errored", error_name="TypeError")
    instance("two", "running")

    out, beside = run("instances", "status:errored")

    assert out.splitlines()[0].split() == [
        "STATUS", "WORKFLOW", "ID", "CREATED", "DOING", "SEEN", "ERROR"
    ]  # fmt: skip
    assert out.splitlines()[1].split()[:3] == ["errored", "orders", "one"]
    assert len(out.splitlines()) == 2
    assert "1 of 1;" in beside


def test_a_list_goes_on_where_it_ended(db: None) -> None:
    for name in ("a", "b", "c"):
        instance(name, created_on=THEN)

    first, beside = run("instances", "--limit", "2", "--json")
    cursor = beside or json.loads(first)["next"]
    rest, _ = run("instances", "--limit", "2", "--after", cursor, "--json")

    ids = [row["id"] for part in (first, rest) for row in json.loads(part)["instances"]]
    assert sorted(ids) == ["a", "b", "c"]


def test_what_cannot_be_searched_for_is_said_in_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match=r"^q: "):
        run("instances", "colour:red")


def test_nothing_in_an_id_commands_a_terminal(db: None) -> None:
    instance("\x1b[31mred\x9b")

    out, _ = run("instances")

    assert "\x1b" not in out
    assert "\x9b" not in out


@pytest.mark.parametrize("by_address", [False, True])
def test_an_instance_is_told_with_its_steps(on_call: Watched, by_address: bool) -> None:
    instance_id = on_call.add("waiting-for-event")
    on_call.sync()
    address = f"http://localhost:8000{on_call.row(instance_id).get_absolute_url()}"

    out, _ = run("instance", address if by_address else instance_id)

    assert "Doing     Waiting for event" in out
    assert "waiting  " in out
    told = json.loads(run("instance", instance_id, "--json")[0])
    assert told["id"] == instance_id


def test_an_instance_that_nobody_knows_is_said_so(on_call: Watched) -> None:
    with pytest.raises(CommandError, match="is known here; give the address"):
        run("instance", "nobody")


def test_an_operation_is_shown_begun_and_watched_to_its_end(
    on_call: Watched, operator: User, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [on_call.add("running") for _ in range(3)]
    on_call.add("complete")
    on_call.sync()

    out, beside = run(
        "operate", "terminate", "workflow:orders", "--user", "olga", "--yes", "--reason", "drill"
    )

    assert "terminate: 3 of 4 instances" in beside
    assert "Skipped: 1. " in beside
    assert "3 done" in out
    assert {on_call.listed()[one] for one in ids} == {"terminated"}
    assert Operation.objects.get().stage == Stage.FINISHED
    assert "Terminate: 100%" in capsys.readouterr().err


def test_an_operation_that_failed_ends_the_command_with_an_error(
    on_call: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_call.add("running")
    on_call.sync()

    def fails(pk: Any, *_: object, **__: object) -> None:
        operation = Operation.objects.get(pk=pk)
        operation.items.update(state=State.FAILED, settled_at=on_call.clock())
        operation.move(Stage.HALTED, now=on_call.clock(), note="1 of 1 failed.")

    monkeypatch.setattr(operate.operations, "run", fails)

    with pytest.raises(CommandError, match=r"It is halted\. 1 of 1 failed\."):
        run("operate", "pause", "workflow:orders", "--user", "olga", "--yes")


def test_an_operation_goes_on_when_nobody_watches_any_more(
    on_call: Watched, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_call.add("running")
    on_call.sync()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(operate.operations, "run", interrupted)

    with pytest.raises(CommandError, match="It goes on by itself") as ended:
        run("operate", "pause", "workflow:orders", "--user", "olga", "--yes")

    assert ended.value.returncode == 130
    assert Operation.objects.get().stage == Stage.RUNNING


@pytest.mark.parametrize(("typed", "is_begun"), [("1", True), ("2", False), ("", False)])
def test_the_number_is_typed_before_anything_is_sent(
    on_call: Watched,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    is_begun: bool,
) -> None:
    on_call.add("running")
    on_call.sync()
    monkeypatch.setattr("builtins.input", lambda _: typed)

    asked = ("operate", "terminate", "status:running", "--user", "olga", "--reason", "drill")

    if is_begun:
        run(*asked)
    else:
        with pytest.raises(CommandError, match="Nothing was begun"):
            run(*asked)

    assert Operation.objects.exists() is is_begun


@pytest.mark.parametrize(
    ("user", "words"), [("victor", "Your role is viewer"), ("nobody", "There is no user nobody")]
)
def test_who_may_not_act_does_not(on_call: Watched, viewer: User, user: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        run("operate", "pause", "status:running", "--user", user, "--yes")


def test_a_reason_is_asked_for_as_on_the_pages(on_call: Watched, operator: User) -> None:
    on_call.add("running")
    on_call.sync()

    with pytest.raises(CommandError, match="reason: Say why"):
        run("operate", "terminate", "status:running", "--user", "olga", "--yes")


def test_groups_are_a_table_or_json(on_call: Watched) -> None:
    instance_id = on_call.add("errored")
    on_call.sync()
    run("instance", instance_id)

    out, _ = run("groups")

    assert out.splitlines()[1].split()[1:3] == ["new", "1"]
    [group] = json.loads(run("groups", "--json")[0])["groups"]
    assert group["state"] == "new"


def test_a_token_is_made_and_only_its_secret_stands_in_the_output(operator: User) -> None:
    out, beside = run("token", "olga", "deploy-bot", "--scope", "operate", "--days", "7")

    token = ApiToken.objects.of_secret(out.strip())
    assert token is not None
    assert (token.name, token.scope, token.user) == ("deploy-bot", "operate", operator)
    assert out.strip() not in beside


def test_a_token_that_cannot_be_is_refused(viewer: User) -> None:
    with pytest.raises(CommandError, match=r"^scope: "):
        run("token", "victor", "deploy-bot", "--scope", "operate")
    with pytest.raises(CommandError, match="There is no user"):
        run("token", "nobody", "deploy-bot")
