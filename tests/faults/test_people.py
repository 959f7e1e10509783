"""Two people at once, a page from long ago, a clock that is set: nobody is told what is not so."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from dashboard import operations
from dashboard.cloudflare import Client
from dashboard.cloudflare.types import Action
from dashboard.models import Item, User
from dashboard.models.operation import Kind, Stage, State
from dashboard.operations import Wanted
from tests.fixtures import Watched
from tests.operations.many import add, begin, patched, states
from tests.views.conftest import actor, on_call  # noqa: F401 - fixtures
from tests.views.operating import fill_in, form_url, send

pytestmark = pytest.mark.usefixtures("unsealed")


def ask(watched: Watched, instance_id: str, kind: Kind, user: User) -> Item:
    want = Wanted(kind=kind, user=user, key=uuid.uuid4(), reason="paged at 03:00")
    operation = operations.perform(
        watched.client, watched.workflow(), instance_id, want, clock=watched.clock
    )
    return operation.items.get()


@pytest.mark.parametrize(
    ("first", "second", "ends"),
    [
        (Kind.TERMINATE, Kind.PAUSE, "terminated"),
        (Kind.PAUSE, Kind.TERMINATE, "terminated"),
        (Kind.TERMINATE, Kind.RESUME, "terminated"),
    ],
)
def test_of_two_people_with_opposite_actions_each_is_told_what_became_of_theirs(
    watched: Watched,
    operator: User,
    monkeypatch: pytest.MonkeyPatch,
    first: Kind,
    second: Kind,
    ends: str,
) -> None:
    """The second reads the instance, then the first acts, then the second's request arrives."""
    olaf = User.objects.create(username="olaf", role="operator")
    instance_id = watched.add("paused" if second is Kind.RESUME else "waiting")
    watched.sync()
    theirs: list[Item] = []

    change = Client.change_instance_status

    def act_in_between(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(Client, "change_instance_status", change)
        theirs.append(ask(watched, instance_id, first, olaf))
        watched.advance(1)
        return change(*args, **options)

    monkeypatch.setattr(Client, "change_instance_status", act_in_between)
    mine = ask(watched, instance_id, second, operator)
    watched.advance(2)
    for item in (*theirs, mine):
        operations.look(watched.client, item, now=watched.clock())
        item.refresh_from_db()

    assert watched.server.world.status("orders", instance_id) == ends
    done = {Kind(item.operation.kind) for item in (*theirs, mine) if item.state == State.DONE}
    assert Kind.TERMINATE in done
    assert Kind.RESUME not in done
    assert mine.is_settled
    assert all(item.is_settled for item in theirs)
    assert len(watched.sent()) == 2


@pytest.mark.parametrize("became", ["complete", "terminated", "restarted"])
def test_an_action_on_a_page_an_hour_old_is_held_to_what_is_so_now(
    actor: Browser,  # noqa: F811
    on_call: Watched,  # noqa: F811
    became: str,
) -> None:
    instance_id = on_call.add("errored" if became == "restarted" else "waiting")
    on_call.sync()
    kind = "restart" if became == "restarted" else "pause"
    form = fill_in(actor, form_url(on_call, kind, instance_id), reason="an hour ago")
    if became == "complete":
        on_call.advance(25 * 3600)
    else:
        on_call.advance(3600)
        action = Action.RESTART if became == "restarted" else Action.TERMINATE
        on_call.client.change_instance_status("orders", instance_id, action)
        on_call.advance(60)
    sent_by_others = len(on_call.sent())

    answer: Any = send(actor, form, follow=True)

    assert "Nothing was sent." in answer.content.decode()
    assert len(on_call.sent()) == sent_by_others
    assert Item.objects.get().state == State.SKIPPED


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_set_amid_an_operation_doubles_nothing_and_ends_it_truly(
    watched: Watched, configured: object, operator: User, minutes: int
) -> None:
    add(watched, "waiting", 40)
    operation = begin(watched, operator, Kind.TERMINATE)
    off = timedelta(0)

    def ours() -> datetime:
        return watched.clock() + off

    for step in range(2_000):
        if step == 4:
            off = timedelta(minutes=minutes)
        operations.run(operation.pk, lambda _: watched.client, clock=ours)
        operation.refresh_from_db()
        if operation.stage == Stage.FINISHED:
            break
        watched.advance(1)

    assert states(operation) == {State.DONE: 40}
    assert set(patched(watched).values()) == {1}
    assert set(watched.listed().values()) == {"terminated"}
