"""An account that is well cries no wolf, though each of its workflows always fails now and then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dashboard.models import AlertIncident, ErrorGroup, Instance
from dashboard.simulator.scenarios import NOISE, SCENARIOS
from tests.alerts.calm import Totals
from tests.alerts.direct import direct
from tests.alerts.rows import rule
from tests.fixtures import START

pytestmark = pytest.mark.django_db

HOURS, LOOK, JUDGED = 6, timedelta(hours=2), timedelta(minutes=10)
#: The workflows of `busy`, a tenth as often triggered.
SCENARIO, INSTANCES = "huge", 800


def test_hours_of_an_account_that_is_well_raise_no_alarm() -> None:
    watch, totals = direct(SCENARIO, START, instances=INSTANCES, each=10), Totals()
    watch.look()
    held = Instance.objects.count()
    running = [one.name for one in SCENARIOS[SCENARIO].definitions if one.stopped is None]
    watch.make_rules(running)
    # Of somebody who asks to be told at once: what is usual has to hold it back.
    rule("failure-rate", terms={"share": 1, "at_least": 2, "window": 60})
    for _ in range(HOURS * timedelta(hours=1) // LOOK):
        since = watch.clock()
        watch.world.advance(LOOK.total_seconds())
        watch.look()
        for number in range(1, LOOK // JUDGED + 1):
            watch.judge(since + number * JUDGED)
        totals.note(watch)

    assert Instance.objects.count() > held + HOURS * 200
    assert ErrorGroup.objects.count() == len(NOISE)
    assert not totals.stuck | totals.worse | totals.growing
    assert not [*AlertIncident.objects.values_list("sentence", flat=True)]
