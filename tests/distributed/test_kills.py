"""A worker may be killed at any moment: what it was doing is done again, and nothing is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.distributed.house import House

pytestmark = pytest.mark.start

KILLS = 20
INSTANCES = 6_000


def test_after_twenty_kills_the_copy_equals_the_list_row_by_row(
    build: Callable[..., House],
) -> None:
    """Killed are all workers at once, while requests are under way, between them, or in the middle
    of writing a page. Meanwhile the world goes on; at the end it stands still."""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    moments = random.Random(seed)
    house = build("busy", now=datetime.now(UTC), rate_limit=60_000, instances=INSTANCES)
    house.start_beat()
    in_the_middle = 0

    for _ in range(KILLS):
        house.start_workers()
        house.wait_for_pages(moments.randint(1, 30))
        if moments.random() < 0.3:
            with house.nobody_writes():
                time.sleep(moments.uniform(0.05, 0.3))
                house.kill_workers()
        else:
            time.sleep(moments.uniform(0, 0.1))
            house.kill_workers()
        in_the_middle += house.is_leased()
        house.expire_leases()

    house.start_workers()
    house.wait_until_equal()
    print(f"{in_the_middle} of {KILLS} kills in the middle of a sync")
    assert in_the_middle > KILLS / 2
    assert house.statuses() == {200}
