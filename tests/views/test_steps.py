"""How steps went, on the page of their workflow and on their own: where each figure comes from."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard import sync
from dashboard.models import (
    FailedAttempt,
    StepFeed,
    StepHour,
    UnreadStretch,
    Workflow,
    step_figures,
)
from dashboard.simulator.plan import Do, Failure, Plan, Retries, in_turn
from tests.fixtures import START, Watched
from tests.rows import HOSTILE, THEN, account, minutes, workflow

PATH = "/accounts/acc1/workflows/orders/"
STEP = f"{PATH}steps/"
AGAIN = Retries(limit=3, delay="1 second", backoff="constant")
FLAKY = Plan(
    in_turn(Do("load", 300), Do("charge", 1_200, failures=(Failure("Error", "no"),), retries=AGAIN))
)


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(THEN + minutes(60), tick=False):
        yield


def hour(name: str = "charge", **facts: Any) -> StepHour:
    told = {"begins_on": THEN, "succeeded": 4, "durations": {"100": 3, "2000": 1}}
    return StepHour.objects.create(workflow=workflow(), step_name=name, **told | facts)


def failing(name: str = "charge", **facts: Any) -> StepHour:
    told = {"failed_attempts": 2, "last_failed_on": THEN, "last_failed_in": "order 7/ü"}
    return hour(name, **told | facts)


def text(html: str) -> str:
    """What is to be read, without the marks of HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_step_is_shown_with_its_figures_and_its_last_failure(reader: Client) -> None:
    failing()

    html = reader.get(PATH).content.decode()

    assert "charge 4 100 ms 2 s 2 s 2 of 6 (33.3 %) 1 h ago in order 7/ü events" in text(html)
    assert f'href="{PATH}instances/order%207/%C3%BC"' in html
    assert f'href="{STEP}?name=charge&amp;days=7"' in html


def test_hours_and_versions_are_summed_up_and_the_worst_step_comes_first(reader: Client) -> None:
    hour("load", failed=1)
    failing(version_id="v1")
    failing(version_id="v2", begins_on=THEN - timedelta(days=2))

    words = text(reader.get(PATH).content.decode())

    assert "charge 8 100 ms" in words
    assert words.index("charge 8") < words.index("load 5")


@pytest.mark.parametrize(("days", "shown"), [("1", False), ("7", False), ("31", True)])
def test_a_period_can_be_chosen(reader: Client, days: str, shown: bool) -> None:
    hour("yearly", begins_on=THEN - timedelta(days=20))

    response = reader.get(PATH, {"days": days})

    assert response.status_code == 200
    assert ("yearly" in response.content.decode()) is shown


@pytest.mark.parametrize("path", [PATH, STEP])
@pytest.mark.parametrize("days", ["0", "x", "-1", "7\x00", "9" * 5_000])
def test_a_period_that_is_none_is_refused_in_words(reader: Client, path: str, days: str) -> None:
    hour()

    response = reader.get(path, {"days": days, "name": "charge"})

    assert response.status_code == 400
    assert "days can be 1, 7, 31, 365; these are the steps of 7 days." in text(
        response.content.decode()
    )


def test_the_page_says_why_there_are_no_events(reader: Client) -> None:
    account(feed_error="the token lacks Account Analytics: Read.")
    workflow()

    words = text(reader.get(PATH).content.decode())

    assert "Step events are not available: the token lacks Account Analytics: Read." in words
    assert "No step is known to have ended in 7 days." in words


def test_the_page_says_how_old_the_events_are_and_what_is_still_to_be_read(
    reader: Client,
) -> None:
    home = workflow().account
    StepFeed.objects.create(account=home, laid_through=THEN, read_at=THEN + minutes(59))
    UnreadStretch.objects.create(
        account=home, since=THEN - timedelta(days=31), until=THEN - timedelta(days=5)
    )

    words = text(reader.get(PATH).content.decode())

    assert "Step events read 1 min ago" in words
    assert "those of 2 d 03 h of this period are still to be read." in words


def test_names_that_are_markup_stay_text(reader: Client) -> None:
    failing(HOSTILE, last_failed_in=HOSTILE)
    FailedAttempt.objects.create(
        workflow=workflow(), step_name=HOSTILE, instance_id=HOSTILE, failed_on=THEN
    )

    for response in (reader.get(PATH), reader.get(STEP, {"name": HOSTILE})):
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()
        assert "&lt;script&gt;alert" in response.content.decode()


def test_only_so_many_steps_are_shown(reader: Client) -> None:
    for number in range(60):
        hour(f"item {number}", version_id="v")

    words = text(reader.get(PATH).content.decode())

    assert "10 more steps, which failed least, are not shown." in words


def test_a_step_has_a_page_with_its_versions_days_and_failures(reader: Client) -> None:
    failing(version_id="v-new")
    failing(version_id="v-old", begins_on=THEN - timedelta(days=3))
    hour("load")
    FailedAttempt.objects.create(
        workflow=workflow(), step_name="charge", instance_id="i-9", failed_on=THEN, duration_ms=40
    )

    html = reader.get(STEP, {"name": "charge"}).content.decode()

    words = text(html)
    assert words.index("v-new 4") < words.index("v-old 4")
    assert words.index("2026-11-20 4") < words.index("2026-11-17 4")
    assert "i-9 1 h ago 2026-11-20 03:00:00 UTC 40 ms" in words
    assert "load" not in words


@pytest.mark.parametrize("name", ["unheard of", "", "nul\x00", "long" * 1_000])
def test_a_step_that_no_event_told_of_says_so(reader: Client, name: str) -> None:
    workflow()

    response = reader.get(STEP, {"name": name})

    assert response.status_code == 200
    assert "No event told of this step in 7 days." in response.content.decode()


def test_a_step_of_an_unknown_workflow_is_a_404(reader: Client) -> None:
    account()

    assert reader.get(STEP).status_code == 404


def test_where_there_are_no_events_the_details_tell_exactly(watched: Watched) -> None:
    for number in range(3):
        watched.add("complete", plan=FLAKY, age=300, instance_id=f"i-{number}")
    watched.add("errored", age=300, instance_id="bad")
    watched.sync()
    for number in range(3):
        sync.read_instance(watched.client, watched.workflow(), f"i-{number}", now=watched.clock())

    found = step_figures.of_workflow(watched.workflow(), START - timedelta(days=1))

    by_name = {one.name: one for one in found}
    charge = by_name["charge"]
    assert (charge.is_sampled, charge.ended, charge.failed_attempts) == (False, 3, 3)
    assert charge.p50 == 2 * 1_200 + 1_000
    assert by_name["charge card"].last_failed_in == "bad"
    assert by_name["charge card"].p50 is None


def test_the_source_that_saw_more_is_shown(watched: Watched) -> None:
    watched.add("complete", plan=FLAKY, age=300, instance_id="i")
    watched.sync()
    orders: Workflow = watched.workflow()
    sync.read_instance(watched.client, orders, "i", now=watched.clock())
    StepHour.objects.create(workflow=orders, begins_on=START, step_name="load", succeeded=40)

    found = step_figures.of_workflow(orders, START - timedelta(days=1))

    assert {one.name: (one.ended, one.is_sampled) for one in found} == {
        "load": (40, True),
        "charge": (1, False),
    }


def test_a_very_large_detail_is_left_out(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_figures, "LARGEST_DETAIL", 10)
    watched.add("complete", plan=FLAKY, age=300, instance_id="i")
    watched.sync()
    sync.read_instance(watched.client, watched.workflow(), "i", now=watched.clock())

    assert step_figures.of_workflow(watched.workflow(), START - timedelta(days=1)) == []
