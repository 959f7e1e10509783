"""After a day with restarts, history is what the simulated account itself knows of that day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard import sync
from dashboard.cloudflare import Action, Client, Credentials
from dashboard.cloudflare.types import FINISHED
from dashboard.models import Account, Instance, WorkflowPeriod
from dashboard.models.history import period_of
from dashboard.models.history_folding import fold_history
from dashboard.simulator import server as simulator_server
from dashboard.simulator.server import Server
from dashboard.simulator.workflow import Query
from tests.fixtures import START

STEP = timedelta(minutes=20)
#: When it happened, as a period, in which workflow, and what.
Happening = tuple[datetime, str, str]


@pytest.fixture
def quiet() -> Iterator[Server]:
    with simulator_server.serve("quiet", now=START, rate_limit=0) as server:
        yield server


def clock(server: Server) -> datetime:
    return datetime.fromtimestamp(server.world.now / 1000, tz=UTC)


def truth(server: Server, ends_before: Counter[Happening]) -> Counter[Happening]:
    """What the account knows: of each instance its creation and last end, and earlier ends."""
    now, found = clock(server), Counter(ends_before)
    for name, workflow in server.world.workflows.items():
        for row in workflow.page(Query(limit=100_000), server.world.now).rows:
            moments = {"created": row.created}
            if row.ended is not None:
                moments[row.status] = row.ended
            for what, moment in moments.items():
                at = datetime.fromtimestamp(moment / 1000, tz=UTC)
                found[period_of(at, now), name, what] += 1
    return found


def counted() -> Counter[Happening]:
    found: Counter[Happening] = Counter()
    for row in WorkflowPeriod.objects.select_related("workflow"):
        for field, what in (
            ("created", "created"),
            ("completed", "complete"),
            ("errored", "errored"),
            ("terminated", "terminated"),
        ):
            found[row.begins_on, row.workflow.name, what] += getattr(row, field)
    return +found


@pytest.mark.django_db
def test_history_is_what_the_account_knows_after_a_day_with_restarts(quiet: Server) -> None:
    account = Account.objects.create(account_id=quiet.account_id, name="test")
    ends_before: Counter[Happening] = Counter()
    with Client(quiet.account_id, Credentials(token=quiet.token), base_url=quiet.url) as client:
        while clock(quiet) < START + timedelta(days=1):
            sync.sync_account(client, account, clock=lambda: clock(quiet))
            ended = Instance.objects.filter(status__in=FINISHED, expired_at=None)
            for row in ended.select_related("workflow").order_by("-created_on")[:3]:
                home = quiet.world.workflows[row.workflow.name]
                told = home.get(row.instance_id, quiet.world.now)
                end = told.ended(quiet.world.now) if told else None
                assert end is not None
                at = datetime.fromtimestamp(end / 1000, tz=UTC)
                place = (period_of(at, clock(quiet)), row.workflow.name, row.status)
                ends_before[place] += 1
                client.change_instance_status(row.workflow.name, row.instance_id, Action.RESTART)
            quiet.world.advance(STEP.total_seconds())
        sync.sync_account(client, account, clock=lambda: clock(quiet))

    fold_history(now=clock(quiet), is_time_up=lambda: False)
    assert sum(ends_before.values()) > 100
    assert counted() == truth(quiet, ends_before)
