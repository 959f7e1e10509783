"""Step events are counted once, whatever is interrupted, cut short or read by two at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboard import sync
from dashboard.cloudflare import Client, Credentials, EventType, StepType, WorkflowEvent
from dashboard.cloudflare.types import base_name
from dashboard.insight.percentiles import percentile
from dashboard.models import (
    FailedAttempt,
    Instance,
    StepFeed,
    StepHour,
    UnreadStretch,
    step_figures,
    step_recording,
)
from dashboard.simulator.plan import Do, Failure, Plan, Retries, in_turn
from dashboard.sync import steps
from tests.fixtures import START, Watched

DAY = 86_400
DOWN = Failure("Error", "provider is down")
AGAIN = Retries(limit=3, delay="1 second", backoff="constant")
#: Two attempts of "charge" fail before one succeeds.
FLAKY = Plan(in_turn(Do("load", 300), Do("charge", 1_200, failures=(DOWN, DOWN), retries=AGAIN)))
BROKEN = Plan(in_turn(Do("load", 300), Do("charge", 700, failures=(DOWN,), fails=True)))


def read_steps(watched: Watched, runs: int = 1) -> StepFeed:
    for _ in range(runs):
        sync.read_steps(watched.client, watched.account, clock=watched.clock)
    return StepFeed.objects.get()


def read_all(watched: Watched) -> None:
    assert read_steps(watched).error == ""
    while UnreadStretch.objects.exists():
        assert read_steps(watched).error == ""


def read_only(watched: Watched, since: datetime) -> None:
    """Lets the first run begin there, and not 31 days back."""
    feed = StepFeed.of(watched.account)
    StepFeed.objects.filter(pk=feed.pk).update(laid_through=since)


def counted() -> dict[str, tuple[int, int, int]]:
    """Step to how many ended well, how many failed, how many attempts failed."""
    found: Counter[str] = Counter()
    for row in StepHour.objects.all():
        for name in ("succeeded", "failed", "failed_attempts"):
            found[f"{row.step_name}/{name}"] += getattr(row, name)
    return {
        name: (
            found[f"{name}/succeeded"],
            found[f"{name}/failed"],
            found[f"{name}/failed_attempts"],
        )
        for name in {key.partition("/")[0] for key in found}
    }


@contextmanager
def told(*events: WorkflowEvent) -> Iterator[None]:
    """Cloudflare tells these events, whatever kinds it is asked for."""

    def some(
        _client: Client, since: datetime, until: datetime, **_more: Any
    ) -> Iterator[WorkflowEvent]:
        return iter([event for event in events if since <= event.at <= until])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "list_events", some)
        yield


@pytest.fixture
def orders(watched: Watched) -> Watched:
    """A workflow that is known, of which ten minutes are to be read."""
    watched.add("complete", plan=FLAKY, age=300, instance_id="flaky")
    watched.add("errored", plan=BROKEN, age=400, instance_id="broken")
    watched.sync()
    watched.advance(180)
    read_only(watched, START - timedelta(minutes=10))
    return watched


def test_events_are_counted_by_step_and_hour(orders: Watched) -> None:
    read_steps(orders)

    assert counted() == {"load": (2, 0, 0), "charge": (1, 1, 3)}
    charge = StepHour.objects.exclude(last_failed_on=None).get()
    assert charge.begins_on == datetime(2026, 11, 21, 2, 0, tzinfo=START.tzinfo)
    assert charge.last_failed_in == "flaky"
    [took] = map(int, charge.durations)
    assert took == pytest.approx(3 * 1_200 + 2 * 1_000, rel=0.01)


def test_each_failed_attempt_is_kept_with_its_instance(orders: Watched) -> None:
    read_steps(orders)

    kept = FailedAttempt.objects.order_by("failed_on").values_list("instance_id", "duration_ms")
    assert [*kept] == [("broken", 700), ("flaky", 1_200), ("flaky", 1_200)]


def test_versions_are_those_of_the_instances_that_are_known(orders: Watched) -> None:
    Instance.objects.filter(instance_id="broken").delete()
    known = orders.row("flaky").version_id

    read_steps(orders)

    assert known
    found = StepHour.objects.filter(step_name="load").values_list("version_id", "succeeded")
    assert {*found} == {(known, 1), ("", 1)}


def test_nothing_is_counted_twice_however_often_it_is_read(orders: Watched) -> None:
    read_steps(orders)
    before = counted()
    for _ in range(5):
        orders.advance(10)
        read_steps(orders)

    assert counted() == before
    assert FailedAttempt.objects.count() == 3


def test_of_two_who_read_the_same_stretch_at_once_one_counts(orders: Watched) -> None:
    until = START + timedelta(minutes=1)
    step_recording.lay_out(orders.account, oldest=START - timedelta(days=31), until=until)
    mine, other = UnreadStretch.objects.get(), UnreadStretch.objects.get()
    event = WorkflowEvent(START, EventType.STEP_SUCCESS, "orders", "i", "load-1", 1, 300)

    written = [
        step_recording.record_stretch(one, one.since, one.until, [event]) for one in (mine, other)
    ]

    assert written == [True, False]
    assert counted() == {"load": (1, 0, 0)}


def test_a_run_that_dies_while_it_writes_leaves_all_as_it_was(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step_recording, "_keep_failures", die)
        with pytest.raises(KeyboardInterrupt):
            read_steps(orders)
    assert (StepHour.objects.count(), UnreadStretch.objects.count()) == (0, 1)

    read_steps(orders)
    assert counted() == {"load": (2, 0, 0), "charge": (1, 1, 3)}


def test_two_equal_events_are_two(orders: Watched) -> None:
    event = WorkflowEvent(START, EventType.STEP_SUCCESS, "orders", "i", "load-1", 1, 300)

    with told(event, event):
        read_steps(orders)

    assert counted() == {"load": (2, 0, 0)}


def test_after_a_silence_the_newest_hours_come_first_and_the_rest_follows(
    orders: Watched,
) -> None:
    read_steps(orders)
    orders.advance(2 * DAY)
    orders.add("complete", plan=FLAKY, age=600, instance_id="new")
    orders.add("complete", plan=FLAKY, age=2 * DAY - 3_600, instance_id="in the silence")

    read_steps(orders)
    assert counted()["load"][0] == 3
    [stretch] = UnreadStretch.objects.all()
    assert stretch.until == START + timedelta(seconds=60 + 2 * DAY, hours=-steps.QUERIES_PER_RUN)

    read_all(orders)
    assert counted()["load"][0] == 4


def test_catching_up_goes_on_where_it_stopped_while_new_events_come_in(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "QUERIES_PER_RUN", 2)
    read_only(orders, START - timedelta(hours=30))
    for hours in range(30):
        orders.add("complete", plan=FLAKY, age=180 + hours * 3_600 + 60, instance_id=f"i-{hours}")
    runs = 0
    while runs == 0 or UnreadStretch.objects.filter(since__lt=START).exists():
        orders.advance(30)
        read_steps(orders)
        runs += 1

    assert runs > 15
    read_all(orders)
    assert counted()["load"][0] == 2 + 30


def test_the_first_run_looks_31_days_back(watched: Watched) -> None:
    watched.add("complete", plan=FLAKY, age=30 * DAY, instance_id="old")
    watched.sync()

    read_steps(watched)

    [stretch] = UnreadStretch.objects.all()
    assert stretch.since == START - timedelta(days=31) + timedelta(hours=1)
    assert len(watched.sent("POST")) == steps.QUERIES_PER_RUN


def test_what_cloudflare_no_longer_keeps_is_not_asked_for(orders: Watched) -> None:
    UnreadStretch.objects.create(
        account=orders.account, since=START - timedelta(days=40), until=START - timedelta(days=35)
    )
    UnreadStretch.objects.create(
        account=orders.account, since=START - timedelta(days=33), until=START - timedelta(days=30)
    )

    feed = read_steps(orders)

    assert feed.error == ""
    [left] = UnreadStretch.objects.all()
    assert left.since > orders.clock() - timedelta(days=31)


def test_an_hour_that_no_query_holds_is_read_in_parts(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LARGEST_PAGE", 3)
    for number in range(6):
        orders.add("complete", plan=FLAKY, age=400 + 3 * number, instance_id=f"more-{number}")

    read_all(orders)

    assert counted() == {"load": (8, 0, 0), "charge": (7, 1, 15)}


def test_a_second_that_no_query_holds_does_not_stop_the_reading(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LARGEST_PAGE", 3)
    for number in range(5):
        orders.add("complete", plan=FLAKY, age=400, instance_id=f"same-{number}")

    read_all(orders)

    assert not UnreadStretch.objects.exists()
    assert 3 <= counted()["load"][0] <= 7


def test_events_are_read_only_when_they_have_had_the_time_to_show(orders: Watched) -> None:
    orders.server.feed.lag = 60
    read_steps(orders)
    orders.add("complete", plan=FLAKY, age=10, instance_id="late")

    for _ in range(20):
        orders.advance(10)
        read_steps(orders)

    assert counted()["load"][0] == 3


def test_what_sampling_leaves_out_is_not_made_up(orders: Watched) -> None:
    orders.server.feed.share = 0.0

    feed = read_steps(orders)

    assert (counted(), feed.error) == ({}, "")


def test_the_figures_are_those_of_the_instances_themselves(watched: Watched) -> None:
    for number in range(12):
        plan = (FLAKY, BROKEN, Plan(in_turn(Do("load", 100 * number))))[number % 3]
        watched.add("complete", plan=plan, age=500 + 97 * number, instance_id=f"i-{number}")
    watched.sync()
    read_only(watched, START - timedelta(hours=1))
    watched.advance(180)
    ended: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    took: dict[str, Counter[int]] = {"load": Counter(), "charge": Counter()}
    for number in range(12):
        for step in watched.client.get_instance("orders", f"i-{number}").steps:
            assert step.type is StepType.STEP
            assert step.start
            assert step.end
            name = base_name(step.name)
            ended[name] += 1
            failed[name] += sum(attempt.success is False for attempt in step.attempts)
            if step.success:
                took[name][round((step.end - step.start).total_seconds() * 1000)] += 1

    read_all(watched)

    found = step_figures.of_workflow(watched.workflow(), START - timedelta(days=1))
    assert [one.name for one in found] == ["charge", "load"]
    for one in found:
        assert one.is_sampled
        assert one.ended == ended[one.name]
        assert one.failed_attempts == failed[one.name]
        for percent, figure in ((50, one.p50), (95, one.p95), (99, one.p99)):
            assert figure == pytest.approx(percentile(took[one.name], percent), rel=0.01)


def test_without_the_permission_nothing_is_asked(watched: Watched) -> None:
    watched.add("complete", plan=FLAKY, age=300)
    watched.sync()
    server = watched.server
    credentials = Credentials(token=server.no_analytics_token)
    with Client(server.account_id, credentials, base_url=server.url) as client:
        sync.read_feed(client, watched.account, clock=watched.clock)
        asked = len(server.requests)
        sync.read_steps(client, watched.account, clock=watched.clock)

    assert len(server.requests) == asked
    assert StepFeed.objects.get().next_at == watched.clock() + steps.READ_EVERY


def test_before_the_workflows_are_known_no_event_is_lost(watched: Watched) -> None:
    watched.add("complete", plan=FLAKY, age=300)

    read_steps(watched)
    assert watched.sent("POST") == []
    watched.sync()
    watched.advance(180)
    read_steps(watched)

    assert counted()["load"] == (1, 0, 0)


def test_the_limit_of_queries_is_obeyed_and_nothing_is_lost(orders: Watched) -> None:
    orders.server.feed.limit.quota = 1
    sync.read_feed(orders.client, orders.account, clock=orders.clock)
    feed = read_steps(orders)
    assert "accepts no more queries" in feed.error
    assert feed.next_at == orders.clock() + timedelta(minutes=5)
    assert counted() == {}

    orders.server.feed.limit.quota = 320
    orders.advance(301)
    feed = read_steps(orders)

    assert (feed.error, feed.read_at) == ("", orders.clock())
    assert counted()["load"] == (2, 0, 0)


@pytest.mark.parametrize("kind", ["STEP_TELEPORTED", "ATTEMPT_START", "WORKFLOW_FAILURE"])
def test_events_of_other_kinds_are_kept_out(orders: Watched, kind: str) -> None:
    event = WorkflowEvent(START, EventType(kind), "orders", "i", "load-1", 1, 300)

    with told(event):
        feed = read_steps(orders)

    assert (counted(), feed.error) == ({}, "")


def test_events_of_workflows_that_are_not_known_belong_to_nobody(orders: Watched) -> None:
    event = WorkflowEvent(START, EventType.STEP_SUCCESS, "unheard of", "i", "load-1", 1, 300)

    with told(event):
        read_steps(orders)

    assert counted() == {}


@pytest.mark.parametrize(
    "name", ["nul\x00-1", "half\ud800-1", "long" * 250_000, "", "-1", "<script>-1"]
)
def test_any_name_can_be_stored(orders: Watched, name: str) -> None:
    failure = WorkflowEvent(START, EventType.ATTEMPT_FAILURE, "orders", "i", name, 1, 2**70)
    success = WorkflowEvent(START, EventType.STEP_SUCCESS, "orders", "i", name, 1, -5)

    with told(failure, success):
        feed = read_steps(orders)

    assert feed.error == ""
    assert [*counted().values()] == [(1, 0, 1)]
    assert FailedAttempt.objects.count() == 1


@pytest.mark.parametrize("bad", ["nul\x00", "half\ud800", "long" * 100])
def test_a_failure_in_an_instance_that_no_link_can_name_is_counted_only(
    orders: Watched, bad: str
) -> None:
    event = WorkflowEvent(START, EventType.ATTEMPT_FAILURE, "orders", bad, "load-1", 1, 10)

    with told(event):
        read_steps(orders)

    row = StepHour.objects.get()
    assert (row.failed_attempts, row.last_failed_on, row.last_failed_in) == (1, None, "")
    assert not FailedAttempt.objects.exists()


def test_names_beyond_some_number_are_counted_together(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_recording, "MOST_NAMES", 3)
    events = [
        WorkflowEvent(START, EventType.STEP_SUCCESS, "orders", "i", f"item {number}-1", 1, 10)
        for number in range(10)
    ]

    with told(*events):
        read_steps(orders)

    found = counted()
    assert len(found) == 4
    assert found[step_recording.OTHERS] == (7, 0, 0)


def test_of_many_failures_of_a_step_the_newest_are_kept_and_all_counted(
    orders: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_recording, "MOST_FAILURES", 2)
    events = [
        WorkflowEvent(
            START + timedelta(seconds=number), EventType.ATTEMPT_FAILURE, "orders", f"i-{number}",
            "charge-1", 1, 10,
        )
        for number in range(5)
    ]  # fmt: skip

    with told(*events):
        read_steps(orders)

    assert {*FailedAttempt.objects.values_list("instance_id", flat=True)} == {"i-3", "i-4"}
    assert counted() == {"charge": (0, 0, 5)}
