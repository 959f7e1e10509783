"""What the pages say of instances that are stuck, and of versions that do worse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.insight.version_watch import Comparison, Kind, Measure
from dashboard.models import Progress, StepNormal, Version, counting
from dashboard.simulator.clock import MINUTE
from dashboard.simulator.plan import Do, Plan, in_turn
from tests.fixtures import Watched
from tests.rows import HOSTILE, THEN, instance, minutes, version, workflow
from tests.views.test_columns import cell, shown

pytestmark = pytest.mark.django_db

NOW = THEN + timedelta(hours=1)
STUCK = {
    "phase": "running", "current_step": "charge", "version_id": "v1", "read_at": NOW,
    "at_work_on": NOW - minutes(14), "expected_by": NOW - minutes(13),
}  # fmt: skip
WORSE = Comparison(
    "v1",
    (
        Measure(Kind.FAILURES, "", 0.02, 0.3, 1_903, 212, 1e-9, is_worse=True),
        Measure(Kind.P95, HOSTILE, 2_500, 41_000, 900, 200, 1e-9, is_worse=True),
        Measure(Kind.MEDIAN, "charge", 900, 950, 900, 200, 0.2),
        Measure(Kind.ATTEMPTS, "ship", 1, 1, 900, 3, 1.0),
    ),
)


@pytest.fixture
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@pytest.mark.usefixtures("_clock")
class TestList:
    def test_the_reason_stands_among_the_remarks_with_how_many_it_is_told_by(
        self, reader: Client
    ) -> None:
        instance("slow", **STUCK)
        StepNormal.objects.create(workflow=workflow(), step_name="charge", version_id="v1",
            n=1_204, p50=1, p95=2, p99=41_000, as_of=NOW)  # fmt: skip

        html = shown(reader, "q=is:stuck&view=stuck")

        assert cell(html, "error") == "14 m; 99 % of 1,204 < 41 s"
        assert (
            "Running “charge” for 14 m; 99 % of 1,204 took less than 41 s in this version" in html
        )

    def test_a_step_with_a_counter_is_held_to_the_step_of_its_author(self, reader: Client) -> None:
        instance("slow", **{**STUCK, "current_step": "charge-7"})
        StepNormal.objects.create(workflow=workflow(), step_name="charge", n=30,
            p50=1, p95=2, p99=3, as_of=NOW)  # fmt: skip

        assert "99 % of 30 took less than 3 ms in all versions" in shown(reader)

    def test_the_oldest_of_many_are_found_and_counted(
        self, reader: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(counting, "LOOKED_AT", 10)
        instance("old", created_on=THEN - timedelta(days=20), **STUCK)
        for number in range(60):
            instance(f"i{number}", "running")

        html = shown(reader, "q=is:stuck")

        assert "1 match<" in html
        assert html.count('<tr id="instance-') == 1

    def test_it_says_of_how_many_it_is_not_known_yet(self, reader: Client) -> None:
        home = workflow()
        Progress.objects.create(workflow=home, unfinished=4_120, unread=160, covered_at=NOW)
        instance("since", **{**STUCK, "read_at": NOW - minutes(14)})

        html = words(reader.get("/instances/", {"q": "is:stuck"}))

        assert "known of 96 % of 4,120 unfinished" in html
        assert "Of 160 it is not known yet whether they are stuck" in html
        assert "1 should have gone on since they were read" in html
        assert "since they were read" not in words(reader.get("/instances/"))


def test_the_page_of_an_instance_says_why_it_is_stuck(reader: Client, on_call: Watched) -> None:
    slow = Plan(in_turn(Do("charge card", 60 * MINUTE, timeout="1 minute")))
    on_call.add("complete", plan=slow, age=14 * 60, instance_id="slow")
    on_call.sync()
    row = on_call.row("slow")

    html = words(reader.get(row.get_absolute_url()))

    assert "Stuck: Running “charge card” for 13 m 59 s; its timeout is 1 m." in html


def compared() -> Version:
    version("v1", created_on=THEN)
    return version("v2", created_on=NOW, comparison=WORSE.as_json(), compared_at=NOW)


def test_the_page_of_a_workflow_says_that_its_newest_version_does_worse(reader: Client) -> None:
    compared()

    html = words(reader.get(workflow().get_absolute_url()))

    assert "Its newest version does worse than the one before." in html
    assert "Instances that failed 30.0 %, before 2.0 % (212 vs 1,903)" in html
    assert "<script>alert" not in html


def test_the_page_of_a_version_shows_all_that_was_compared(reader: Client) -> None:
    html = words(reader.get(compared().get_absolute_url()))

    assert "It does worse than" in html
    assert html.count("worse</span>") == 2 + 1  # Two are worse, one is no worse.
    assert "too few" in html
    assert "<script>alert" not in html


def test_a_version_that_was_never_compared_says_nothing(reader: Client) -> None:
    assert "Against the version before" not in words(reader.get(version("v1").get_absolute_url()))
