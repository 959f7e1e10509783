"""Real processes, killed on the way: nothing is sent twice, and each outcome is what happened."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dashboard import simulator
from tests.operations.trial import Trial, settings_of
from tests.servers.dashboard import Dashboard

pytestmark = pytest.mark.start


def test_an_operation_on_300_survives_three_killed_workers_and_failing_requests(
    tmp_path: Path,
) -> None:
    with (
        simulator.serve("empty", rate_limit=6_000) as account,
        Dashboard(tmp_path, **settings_of(account)) as dashboard,
    ):
        trial = Trial(dashboard, account, 300)
        trial.prepare()

        items = trial.run()

        assert trial.contradictions(items) == []
        states = Counter(state for state, _ in items.values())
        assert states["done"] >= 0.93 * 300, states
        refused = sum(kind == "refused 429" for kind in trial.faulty.values())
        assert trial.answers[429] == refused  # and none because of the limit
