"""What always failed so is no news to a dashboard that has just been installed."""

from __future__ import annotations

from datetime import datetime

import pytest

from dashboard import sync
from dashboard.models import AlertIncident, ErrorGroup, Gap, Instance
from dashboard.models.group_past import with_unread_past
from dashboard.models.instance import ERRORED_UNREAD
from dashboard.simulator.scenarios import NOISE
from tests.alerts.rows import rule
from tests.alerts.watch import watching
from tests.fixtures import START

pytestmark = pytest.mark.django_db


def test_old_failures_raise_no_alarm_while_they_are_read_for_the_first_time() -> None:
    with watching("huge", START, instances=1_000) as watch:
        rule("new-group")
        were_some_unread = False

        def slow() -> datetime:
            watch.world.advance(0.5)
            return watch.clock()

        while not ErrorGroup.objects.exists() or with_unread_past(watch.workflows()):
            sync.freshen(watch.client, watch.account, clock=slow)
            sync.back_fill(watch.client, watch.account, clock=slow)
            watch.account.refresh_from_db()
            watch.judge()
            groups = ErrorGroup.objects.count()
            were_some_unread |= groups > 0 and bool(with_unread_past(watch.workflows()))

        assert were_some_unread
        assert ErrorGroup.objects.count() == len(NOISE)
        assert not Gap.objects.exists()
        assert not Instance.objects.filter(ERRORED_UNREAD).exists()
        assert not [*AlertIncident.objects.values_list("sentence", flat=True)]
