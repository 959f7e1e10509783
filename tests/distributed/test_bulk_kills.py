"""Workers killed in the middle of an operation on many: each outcome is what happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.distributed.house import House
from tests.operations.trial import Trial

pytestmark = pytest.mark.start


def test_an_operation_on_300_survives_three_killed_workers_and_failing_requests(
    build: Callable[..., House],
) -> None:
    house = build("empty", rate_limit=12_000)
    house.start_dashboard()
    trial = Trial(house, 300)
    trial.prepare()

    items = trial.run(is_hurried=True)

    assert trial.contradictions(items) == []
    states = Counter(state for state, _ in items.values())
    assert states["done"] >= 0.93 * 300, states
    refused = sum(kind == "refused 429" for kind in trial.faulty.values())
    assert trial.answers[429] == refused  # and none because of the limit
