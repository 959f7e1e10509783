from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.models import Instance, recording
from dashboard.models.conditions import CONDITIONS
from tests.models.test_recording import LATER, detail
from tests.models.test_recording_pages import told
from tests.rows import THEN, instance, workflow

pytestmark = pytest.mark.django_db

SLEEPING = {
    "name": "nap-1",
    "type": "sleep",
    "start": THEN.isoformat(),
    "end": (LATER + timedelta(hours=1)).isoformat(),
    "finished": False,
}


def found(name: str) -> set[str]:
    rows = Instance.objects.filter(CONDITIONS[name](LATER))
    return set(rows.values_list("instance_id", flat=True))


def test_stuck_is_what_was_seen_where_it_stands_after_it_should_have_gone_on() -> None:
    late = {"read_at": LATER, "expected_by": LATER - timedelta(minutes=1)}
    instance("late", "waiting", **late)
    instance("not-read-since", "waiting", read_at=THEN, expected_by=THEN + timedelta(minutes=1))
    instance("gone", "waiting", **late, expired_at=LATER)
    instance("none", read_at=LATER)

    assert found("stuck") == {"late"}


def test_waiting_for_an_event_is_told_by_the_phase() -> None:
    instance("waits", "waiting", phase="waiting-for-event")
    instance("sleeps", "waiting", phase="sleeping")

    assert found("waiting-for-event") == {"waits"}


def test_forgotten_is_what_was_paused_a_day_ago() -> None:
    instance("old", "paused", modified_on=LATER - timedelta(hours=25))
    instance("new", "paused", modified_on=LATER - timedelta(hours=23))
    instance("unsaid", "paused", status_seen_at=LATER - timedelta(hours=25))
    instance("running", "running", modified_on=LATER - timedelta(hours=25))

    assert found("forgotten") == {"old", "unsaid"}


def test_a_read_says_where_an_instance_stands_until_its_status_changes() -> None:
    home = workflow()
    instance("one", "running")

    asleep = detail(status="running", steps=[SLEEPING])
    row = recording.record_detail(home, "one", asleep, now=LATER)

    assert (row.phase, row.current_step) == ("sleeping", "nap")
    assert row.due_on == LATER + timedelta(hours=1)
    row = recording.record_detail(home, "one", detail(status="complete"), now=LATER)
    assert (row.phase, row.current_step, row.attempts, row.due_on) == ("", "", None, None)


def test_a_list_that_shows_another_status_ends_what_was_known_of_the_phase() -> None:
    home = workflow()
    instance("one", "waiting", phase="sleeping", current_step="nap", due_on=LATER, attempts=2)

    over = told("one", "complete", modified_on=LATER)
    recording.record_pages(home, [recording.Listed([over], LATER)], now=LATER)

    row = Instance.objects.get()
    assert (row.status, row.phase, row.current_step) == ("complete", "", "")
    assert (row.attempts, row.due_on) == (None, None)
