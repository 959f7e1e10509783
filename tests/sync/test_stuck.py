"""What is stuck is found, and nothing else is called so: over whole simulated accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from dashboard import sync
from dashboard.cloudflare import Client, Credentials
from dashboard.models import Account, Instance, Version, normal_learning
from dashboard.simulator import server as simulator_server
from dashboard.simulator.clock import MINUTE
from dashboard.simulator.definition import Kind
from dashboard.simulator.plan import Do, Plan, in_turn
from tests.fixtures import START, Watched

pytestmark = pytest.mark.django_db


@contextmanager
def watching(scenario: str, **facts: int) -> Iterator[Watched]:
    """A whole scenario, watched without a limit."""
    with simulator_server.serve(scenario, now=START, rate_limit=0, **facts) as server:
        account = Account.objects.create(account_id=server.account_id, name="test")
        credentials = Credentials(token=server.token)
        with Client(server.account_id, credentials, base_url=server.url, timeout=60) as client:
            yield Watched(server, client, account)


def look(watched: Watched) -> set[str]:
    """Does what a dashboard does in the background; returns what it calls stuck."""
    watched.sync()
    sync.read_steps(watched.client, watched.account, clock=watched.clock)
    normal_learning.learn_normals(now=watched.clock(), is_time_up=lambda: False)
    return set(Instance.objects.stuck().values_list("instance_id", flat=True))


def worse() -> set[tuple[str, str]]:
    """The versions that are called worse than the one before."""
    versions = Version.objects.select_related("workflow")
    found = [one for one in versions if (told := one.compared) and told.worse]
    return {(one.workflow.name, one.version_id) for one in found}


def test_the_stuck_step_and_the_bad_version_of_the_incident_are_found_and_nothing_else() -> None:
    with watching("incident", instances=800) as watched:
        [truth] = [one for one in watched.server.world.truth if one.kind is Kind.STUCK]
        [bad] = [one for one in watched.server.world.truth if one.kind is Kind.VERSION]
        for minutes in (0, 3, 3, 3, 20, 3, 3):
            watched.advance(minutes * 60)
            found = look(watched)
            assert worse() <= {(bad.workflow, bad.version_id)}

        assert worse() == {(bad.workflow, bad.version_id)}
        rows = Instance.objects.filter(instance_id__in=found)
        assert {(row.workflow.name, row.current_step) for row in rows} == {
            (truth.workflow, truth.step)
        }
        # Whatever hangs for more than some minutes is among them.
        hanging = Instance.objects.filter(
            current_step=truth.step, at_work_on__lt=watched.clock() - timedelta(minutes=8)
        )
        assert set(hanging.values_list("instance_id", flat=True)) <= found
        assert len(found) > 5


def test_a_healthy_account_has_nothing_stuck_and_no_bad_version_in_half_a_simulated_day() -> None:
    with watching("huge", instances=400) as watched:
        for _ in range(6):
            for minutes in (0, 115, 5):
                watched.advance(minutes * 60)
                assert look(watched) == set()
                assert worse() == set()
        # There was something to compare: a version that is as good as the one before.
        assert Version.objects.exclude(compared_at=None).count() >= 2


#: The first step takes longer than its timeout says, the second one does not.
SLOW = Plan(
    in_turn(
        Do("first step", 5 * MINUTE, timeout="1 minute"),
        Do("second step", 5 * MINUTE, timeout="10 minutes"),
    )
)


def stuck() -> set[str]:
    return set(Instance.objects.stuck().values_list("current_step", flat=True))


def test_an_instance_is_stuck_when_it_was_seen_late_and_until_it_was_seen_to_go_on(
    watched: Watched,
) -> None:
    watched.add("complete", plan=SLOW, age=30)
    watched.sync()
    assert stuck() == set()

    watched.advance(3 * 60)
    assert stuck() == set()  # It is late, as far as is known; nobody has looked since.
    watched.sync()
    assert stuck() == {"first step"}

    watched.advance(3 * 60)
    assert stuck() == {"first step"}
    watched.sync()
    assert stuck() == set()


def test_a_sleep_is_never_stuck_before_its_end(watched: Watched) -> None:
    watched.add("sleeping")
    for _ in range(5):
        watched.sync()
        assert stuck() == set()
        watched.advance(5 * 3_600)


def test_what_is_late_makes_the_back_fill_due(watched: Watched) -> None:
    watched.add("complete", plan=SLOW, age=30)
    watched.sync()

    assert not Account.objects.due_for_history(watched.clock()).exists()
    watched.advance(3 * 60)
    assert Account.objects.due_for_history(watched.clock()).exists()
    sync.back_fill(watched.client, watched.account, clock=watched.clock)
    assert stuck() == {"first step"}
    assert not Account.objects.due_for_history(watched.clock()).exists()
