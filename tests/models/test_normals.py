from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.models import Instance, StepHour, StepNormal, Workflow, normal_learning, recording
from dashboard.models.normal import ALL, QUEUE
from dashboard.models.workflow import remaining_of
from tests.models.test_recording import detail
from tests.rows import THEN, instance, version, workflow

pytestmark = pytest.mark.django_db

NOW = THEN + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def hour(step: str, version_id: str, durations: dict[str, int], **facts: object) -> None:
    StepHour.objects.create(
        workflow=workflow(), step_name=step, version_id=version_id, durations=durations,
        **{"begins_on": THEN, "succeeded": sum(durations.values()), **facts},
    )  # fmt: skip


def learn(minutes: float = 0) -> int:
    now = NOW + timedelta(minutes=minutes)
    return normal_learning.learn_normals(now=now, is_time_up=lambda: False)


def normal(step: str, version_id: str = ALL) -> tuple[int, int, int, int]:
    found = StepNormal.objects.get(step_name=step, version_id=version_id)
    return found.n, found.p50, found.p95, found.p99


def test_what_is_usual_is_told_by_version_and_for_all_of_them() -> None:
    hour("charge", "v1", {"100": 98, "5000": 2})
    hour("charge", "v2", {"900": 30})
    hour("charge", "", {"100": 1})

    learn()

    assert normal("charge", "v1") == (100, 100, 100, 5000)
    assert normal("charge", "v2") == (30, 900, 900, 900)
    assert normal("charge") == (131, 100, 900, 5000)


def test_it_is_learned_anew_after_some_minutes_and_no_sooner() -> None:
    hour("charge", "v1", {"100": 50})

    assert learn() == 1
    assert learn(1) == 0
    hour("charge", "v1", {"200": 500}, begins_on=NOW)
    assert learn(2) == 1
    assert normal("charge", "v1") == (550, 200, 200, 200)


def test_what_was_not_seen_for_a_month_is_forgotten() -> None:
    hour("charge", "v1", {"100": 50})
    learn()
    learn(32 * 24 * 60)

    assert not StepNormal.objects.exists()


def test_how_long_the_queue_is_is_told_by_the_newest_instances() -> None:
    for number in range(40):
        instance(f"i{number}", created_on=THEN, started_on=THEN + 2 * SECOND)
    instance("waits", "queued")

    learn()

    n, _, _, p99 = normal(QUEUE)
    assert (n, round(p99, -2)) == (40, 2000)


def running(since: str) -> dict[str, object]:
    return {
        "name": "charge-1", "type": "step", "start": since, "end": None, "success": None,
        "attempts": [{"start": since, "end": None, "success": None, "error": None}],
        "config": {"retries": {"limit": 5, "delay": 100}, "timeout": "10 minutes"},
    }  # fmt: skip


def read(instance_id: str = "one") -> Instance:
    told = detail(status="running", versionId="v1", steps=[running(THEN.isoformat())])
    return recording.record_detail(workflow(), instance_id, told, now=NOW)


def test_a_read_holds_a_step_to_its_version_else_to_all_else_to_its_timeout() -> None:
    instance("one")

    assert read().expected_by == THEN + timedelta(minutes=11)
    StepNormal.objects.create(workflow=workflow(), step_name="charge", version_id=ALL,
        n=30, p50=1, p95=1, p99=2_000, as_of=NOW)  # fmt: skip
    assert read().expected_by == THEN + 62 * SECOND
    StepNormal.objects.create(workflow=workflow(), step_name="charge", version_id="v1",
        n=29, p50=1, p95=1, p99=9_000, as_of=NOW)  # fmt: skip
    assert read().expected_by == THEN + 62 * SECOND
    StepNormal.objects.filter(version_id="v1").update(n=30)
    assert read().expected_by == THEN + 69 * SECOND


def test_what_was_read_before_is_held_to_what_has_become_usual() -> None:
    instance("one")
    assert read().expected_by == THEN + timedelta(minutes=11)
    hour("charge", "v1", {"30000": 40})

    learn()

    # The hour keeps rounded durations; the row is held to the very same.
    assert Instance.objects.get().expected_by == THEN + 90 * SECOND
    assert Workflow.objects.get().normals_through is None


def test_rows_are_held_anew_in_pieces_that_go_on_where_the_time_was_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(normal_learning, "PIECE", 2)
    for number in range(5):
        instance(f"i{number}")
        read(f"i{number}")
    hour("charge", "v1", {"30000": 40})

    turns = iter([False, False, True])  # One workflow learned, one piece held.
    normal_learning.learn_normals(now=NOW, is_time_up=lambda: next(turns))
    held = Instance.objects.filter(expected_by=THEN + 90 * SECOND)
    assert held.count() == 2
    learn(1)
    assert held.count() == 5


def test_a_small_change_of_what_is_usual_touches_no_row() -> None:
    instance("one")
    hour("charge", "v1", {"30000": 40})
    learn()
    read()
    hour("charge", "v1", {"31000": 400}, begins_on=NOW)

    learn(5)

    assert Workflow.objects.get().normals_through is None
    assert Instance.objects.get().expected_by == THEN + 90 * SECOND


def ended(instance_id: str, seconds: int) -> None:
    """One that was read while it ran, and whose end a list told."""
    instance(instance_id)
    read(instance_id)
    Instance.objects.filter(instance_id=instance_id).update(
        status="complete", ended_on=THEN + seconds * SECOND
    )


def test_how_long_instances_went_on_from_a_step_is_told_by_those_that_completed() -> None:
    version("v1")
    for number in range(10):
        ended(f"i{number}", 10 * (number + 1))
    instance("still-runs")
    read("still-runs")

    learn()

    assert remaining_of(workflow().pk, "v1") == {"charge": [10, 50_000, 90_000]}
    assert remaining_of(workflow().pk, "v2") == {}


def test_what_was_read_of_an_earlier_start_tells_nothing() -> None:
    version("v1")
    ended("one", 10)
    Instance.objects.update(generation=2)

    learn()

    assert remaining_of(workflow().pk, "v1") == {}
